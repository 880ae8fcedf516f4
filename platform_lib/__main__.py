"""The commands of the library: ``python -m platform_lib``; asking for help loads nothing else."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

_description = """\
Say what a service is configured with, where each value came from, and what can be set. The configuration is
read as the service reads it: defaults, the TOML file, .env in development, the secrets directory, the
environment. No secret is ever shown.
"""
_examples = """\
examples:
  python -m platform_lib config check   --settings payments.settings:PaymentsSettings
  python -m platform_lib config explain --settings payments.settings:PaymentsSettings http.port
  python -m platform_lib config example --settings payments.settings:PaymentsSettings > .env.example

Exit codes: 0 done, 2 bad input, 78 the configuration cannot be used (the report is on stderr).
"""
_commands = {
    "check": "Say whether the service could start with this configuration, or everything that is wrong.",
    "print": "Print every value with where it came from.",
    "explain": "Tell all about one setting: what it is, what sets it, what it overrides.",
    "docs": "Print the reference of the settings as Markdown tables; reads no configuration.",
    "schema": "Print a JSON Schema for config.toml; reads no configuration.",
    "example": "Print an .env.example with every setting; reads no configuration.",
}
_formats = ("table", "env", "toml", "json")
_health_description = """\
Ask a running service for one of its probes and turn the answer into an exit code, for containers and scripts
that have no curl. Nothing but the standard library is loaded.
"""
_health_examples = """\
examples:
  python -m platform_lib health readyz
  python -m platform_lib health livez --url http://127.0.0.1:8080 --timeout 1
  python -m platform_lib health readyz --url http://127.0.0.1:9090 --json      (the admin port: every check)

Exit codes: 0 it passes or warns, 1 it fails, cannot be reached or gives no probe's answer, 2 bad input.
"""
_probes = {
    "livez": "Ask whether the process works, or only a restart would help.",
    "readyz": "Ask whether new requests should be sent there.",
    "startupz": "Ask whether the service has started.",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code of the process."""
    options = _parser().parse_args(arguments)
    if options.group == "health":
        from platform_lib._ask_probe import ask  # noqa: PLC0415  # it loads HTTP, which the others need not

        return ask(options)
    from platform_lib.config._commands import run  # noqa: PLC0415  # --help is quick: it needs no pydantic

    return run(options)


class _Parser(argparse.ArgumentParser):
    """A parser that keeps the lines of its texts and guesses no options."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False, **kwargs)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m platform_lib",
        description="Look at a service from outside.",
        epilog="Exit codes: those of the commands.",
    )
    groups = parser.add_subparsers(dest="group", required=True, metavar="group")
    _add_health(groups)
    config = groups.add_parser(
        "config",
        help="what a service is configured with",
        description=_description,
        epilog=_examples,
    )
    commands = config.add_subparsers(dest="command", required=True, metavar="command")
    for name, purpose in _commands.items():
        command = commands.add_parser(name, help=purpose, description=purpose, epilog=_examples)
        command.add_argument(
            "--settings",
            required=True,
            metavar="MODULE:CLASS",
            help="the settings class, such as payments.settings:PaymentsSettings",
        )
        command.add_argument("--json", action="store_true", help="write one JSON document to stdout")
        if name == "print":
            command.add_argument(
                "--format", choices=_formats, default="table", help="how it looks (default: %(default)s)"
            )
        if name == "explain":
            command.add_argument(
                "key", metavar="KEY", help="the setting: http.port, or its variable PAYMENTS_HTTP_PORT"
            )
    return parser


def _add_health(groups: Any) -> None:
    health = groups.add_parser(
        "health",
        help="whether a running service works",
        description=_health_description,
        epilog=_health_examples,
    )
    commands = health.add_subparsers(dest="command", required=True, metavar="probe")
    for name, purpose in _probes.items():
        command = commands.add_parser(name, help=purpose, description=purpose, epilog=_health_examples)
        command.add_argument(
            "--url",
            default="http://127.0.0.1:8080",
            help="where the service listens (default: %(default)s)",
        )
        command.add_argument(
            "--timeout",
            type=float,
            default=2.0,
            metavar="SECONDS",
            help="limit of the call (default: %(default)s)",
        )
        command.add_argument(
            "--token-file",
            metavar="FILE",
            help="file whose first line is the admin token; details are asked for with it",
        )
        command.add_argument("--json", action="store_true", help="write one JSON document to stdout")


if __name__ == "__main__":
    sys.exit(main())
