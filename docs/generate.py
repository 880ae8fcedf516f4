"""Write the reference pages that are made from the code, or say which of them are stale.

Run as ``python docs/generate.py [--check] [--directory FOLDER]``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from docs.generators import gaps, pages


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check every page; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python docs/generate.py",
        description="Write the reference pages that are made from the code.",
        epilog="Exit codes: 0 every page is current; 1 a page is stale, or the code leaves something unsaid.",
    )
    parser.add_argument("--check", action="store_true", help="write nothing; say which pages are stale")
    parser.add_argument(
        "--directory",
        type=Path,
        metavar="FOLDER",
        default=Path(__file__).parent / "reference",
        help="where the pages are (default: docs/reference)",
    )
    options = parser.parse_args(arguments)
    complaints = [complaint for list_gaps in gaps.values() for complaint in list_gaps()]
    if not complaints:
        complaints = _stale(options.directory) if options.check else _write(options.directory)
    for complaint in complaints:
        sys.stderr.write(f"{complaint}\n")
    return 1 if complaints else 0


def _stale(directory: Path) -> list[str]:
    return [
        f"{name}: the page is not what the code says; run `make reference`"
        for name, make in pages.items()
        if _text(directory / name) != make()
    ]


def _write(directory: Path) -> list[str]:
    for name, make in pages.items():
        path, text = directory / name, make()
        if _text(path) != text:
            path.write_text(text, encoding="utf-8")
            sys.stdout.write(f"{name}: written\n")
    return []


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


if __name__ == "__main__":
    sys.exit(main())
