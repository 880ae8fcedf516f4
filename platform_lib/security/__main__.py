"""``python -m platform_lib.security new-key MERCHANT``: make an API key."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from platform_lib.security._api_keys import new_key


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m platform_lib.security", description="Make API keys for merchants."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    make = commands.add_parser(
        "new-key",
        help="make a key for a merchant; it is shown once",
        description="Print a new key, which is stored nowhere, and the entry with its hash for the settings.",
    )
    make.add_argument("merchant", metavar="MERCHANT", help="whose key it is: 1 to 64 of a-z, 0-9, _ and -")
    make.add_argument("--test", action="store_true", help="begin with pk_test_ instead of pk_live_")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the key: two lines on stdout, the key for the merchant and the entry to store."""
    options = parser().parse_args(arguments)
    try:
        made = new_key(options.merchant, mode="test" if options.test else "live")
    except ValueError as error:
        sys.stderr.write(f"{options.merchant}: {error}\n")
        return 2
    sys.stderr.write("The first line is the key: give it to the merchant, it is not shown again.\n")
    sys.stderr.write(
        "The second is its entry: store it, and drop the merchant's oldest one after rotation.\n"
    )
    sys.stdout.write(f"{made.key}\n{made.stored}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
