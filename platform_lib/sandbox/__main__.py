"""The sandbox as a process: ``python -m platform_lib.sandbox``."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import textwrap
from collections.abc import Mapping, Sequence

from pydantic import TypeAdapter

from platform_lib.clock import Clock, ManualClock, SystemClock
from platform_lib.config import Seconds, Secret
from platform_lib.errors import ConfigError
from platform_lib.sandbox.server import Sandbox
from platform_lib.sandbox.settings import SandboxSettings
from platform_lib.sandbox.tokens import TOKENS

_highest_port = 65_535
_configuration_error = 78  # EX_CONFIG of sysexits.h

_epilogue = """\
environment:
  SANDBOX_API_KEY         what callers send as `Authorization: Bearer` (default: {key})
  SANDBOX_WEBHOOK_SECRET  signs webhooks, whsec_ and base64 of 24 to 64 bytes; needed with --webhook-url

a first payment, in another terminal:
  URL=http://127.0.0.1:9000                     # the first line that the sandbox prints
  curl -s $URL/v1/authorisations -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' \\
    -d '{{"reference":"order-1","amount":{{"minor_units":1250,"currency":"EUR"}},"token":"tok_approved"}}'
  curl -s $URL/sandbox/state                    # what the sandbox knows

test tokens:
{tokens}

The API describes itself at $URL/docs and $URL/openapi.json. Ctrl+C or SIGTERM ends the sandbox with exit
code 0; 1 means that the address is taken, 78 that a setting cannot be used.
"""


def main(arguments: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    """Serve until told to stop; return the exit code."""
    defaults = SandboxSettings()
    parser = _parser(defaults)
    options = parser.parse_args(arguments)
    api_key, webhook_secret = environ.get("SANDBOX_API_KEY"), environ.get("SANDBOX_WEBHOOK_SECRET")
    settings = SandboxSettings(
        host=options.host,
        port=options.port,
        slow=options.slow,
        webhook_url=options.webhook_url,
        api_key=Secret(api_key) if api_key else defaults.api_key,
        webhook_secret=Secret(webhook_secret) if webhook_secret else None,
    )
    clock: Clock = SystemClock()
    if options.manual_clock:
        clock = ManualClock(clock.now())
    try:
        return asyncio.run(_serve(Sandbox(settings, clock=clock)))
    except ConfigError as error:
        sys.stderr.write(f"sandbox: {error} (environment: SANDBOX_WEBHOOK_SECRET)\n")
        return _configuration_error
    except OSError as error:
        sys.stderr.write(
            f"sandbox: cannot listen on {settings.host}:{settings.port}: {error.strerror}; "
            "end what listens there, or pass --port 0 for a free port\n"
        )
        return 1


async def _serve(sandbox: Sandbox) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with sandbox:
        sys.stdout.write(
            f"{sandbox.url}\n"
            f"  documentation  {sandbox.url}/docs\n"
            f"  state          {sandbox.url}/sandbox/state\n"
            f"  webhooks to    {sandbox.settings.webhook_url or 'nobody'}\n"
        )
        sys.stdout.flush()
        await stop.wait()
    return 0


def _parser(defaults: SandboxSettings) -> argparse.ArgumentParser:
    width = max(map(len, TOKENS)) + 2
    tokens = "\n".join(
        textwrap.fill(
            token.happens,
            width=100,
            initial_indent=f"  {token.name:<{width}}",
            subsequent_indent=" " * (width + 2),
        )
        for token in TOKENS.values()
    )
    parser = argparse.ArgumentParser(
        prog="python -m platform_lib.sandbox",
        description="Serve a payment processor to test against. "
        "No money moves; the token in a request decides what happens.",
        epilog=_epilogue.format(tokens=tokens, key=defaults.api_key.reveal()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", default=defaults.host, help="address to listen on (default: %(default)s)")
    parser.add_argument(
        "--port",
        type=_port,
        default=9000,
        help="port to listen on; 0 takes a free one (default: %(default)s)",
    )
    parser.add_argument("--webhook-url", metavar="URL", help="where signed webhooks go (default: nowhere)")
    parser.add_argument(
        "--slow",
        type=_seconds,
        metavar="TIME",
        default=defaults.slow,
        help="how long tok_slow and tok_late take, such as 500ms or 30s (default: 30s)",
    )
    parser.add_argument(
        "--manual-clock",
        action="store_true",
        help="time stands still until POST /sandbox/clock/advance moves it",
    )
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > _highest_port:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; give a number from 0 to {_highest_port}")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds: float = TypeAdapter(Seconds).validate_python(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration; write 500ms, 5s or 2m") from error
    return seconds


if __name__ == "__main__":
    sys.exit(main())
