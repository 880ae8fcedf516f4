"""`paypath demo`: generate a payment service, start everything it needs, and play a story through it."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from paypath.demo.performance import Performance
    from paypath.demo.teller import Teller
    from platform_lib.engines import EngineChoice


class _Stopped(BaseException):
    """A signal asked us to stop; no handler on the way may take it for an error."""

    def __init__(self, number: int) -> None:
        self.number = number


@click.command(
    epilog="Exit codes: 0 every step had its outcome, 1 one had not, 2 bad input, 130 or 143 stopped."
)
@click.option("--port", type=click.IntRange(1, 65535), help="Port of the service (8080, or a free one).")
@click.option(
    "--engine",
    type=click.Choice(["auto", "embedded", "container"]),
    default="auto",
    show_default=True,
    help="Where PostgreSQL and NATS run; auto is embedded, which needs no container engine.",
)
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".paypath/demo"),
    show_default=True,
    help="Where the service is generated and logs are kept.",
)
@click.option(
    "--stay/--no-stay",
    default=None,
    help="Stay up after the story until Ctrl-C; by default only when run on a terminal.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object on stdout; progress goes to stderr."
)
def demo(
    *,
    port: int | None,
    engine: EngineChoice,
    directory: Path,
    stay: bool | None,
    as_json: bool,
) -> None:
    """Generate a payment service, start everything, play a story, show its trace.

    PostgreSQL, NATS JetStream and a payment provider's simulator start on loopback; nothing is left behind.
    """
    from paypath.demo import perform  # noqa: PLC0415  # keeps `paypath --help` quick
    from paypath.demo.ports import PortTaken  # noqa: PLC0415
    from paypath.demo.teller import Teller  # noqa: PLC0415
    from platform_lib.clock import SystemClock  # noqa: PLC0415
    from platform_lib.errors import PlatformError  # noqa: PLC0415

    if stay is None:
        stay = sys.stdin.isatty() and sys.stdout.isatty()
    stream = sys.stderr if as_json else sys.stdout
    colour = stream.isatty() and "NO_COLOR" not in os.environ
    teller = Teller(stream, colour=colour, clock=SystemClock())
    code: int | None = None
    try:
        with (
            _stopping_on_signals() as ignore_signals,
            perform(
                directory.resolve(), teller, clock=SystemClock(), port=port, engine=engine
            ) as performance,
        ):
            code = 0 if performance.ok else 1
            for complaint in performance.complaints:
                teller.say(f"  ✗ {complaint}")
            if as_json:
                click.echo(json.dumps({**performance.document(), "seconds": round(teller.seconds, 3)}))
            _close(teller, directory, performance, stay=stay)
            if stay:
                signal.pause()
            ignore_signals()
    except _Stopped as stopped:
        # After the story a signal is how a demo that stays up ends; before, it cut the story short.
        teller.say("Stopped; nothing is left running.")
        sys.exit(128 + stopped.number if code is None else code)
    except PortTaken as error:
        click.echo(f"demo: {error}", err=True)
        sys.exit(2)
    except PlatformError as error:
        click.echo(f"demo: {error}", err=True)
        sys.exit(1)
    sys.exit(code)


def _close(teller: Teller, directory: Path, performance: Performance, *, stay: bool) -> None:
    """Say how it ended and what to type next."""
    outcome = "Every step had its outcome" if performance.ok else "Not every step had its outcome"
    teller.say(f"{outcome}; {teller.seconds:.1f} s.")
    teller.say()
    if stay:
        teller.say("Still running; Ctrl-C stops everything. In another terminal:")
        key = f"Authorization: Bearer {performance.merchant_key}"
        teller.say(f"  curl {performance.url}/v1/payments -H '{key}'")
        teller.say(f"  curl '{performance.url}/readyz?verbose'")
    else:
        teller.say("Next:")
        teller.say(f"  less {directory / 'payments' / 'README.md'}")
        teller.say(f"  {_this_command()} new ../my-payments --kind payment-service")


def _this_command() -> str:
    """Return what to type to call this tool again: its name, or its path where a shell does not find it."""
    import shutil  # noqa: PLC0415  # keeps `paypath --help` quick

    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        return "python -m paypath"
    found = shutil.which("paypath")
    if found is not None and Path(found).resolve() == called.resolve():
        return "paypath"
    return os.path.relpath(called)


@contextmanager
def _stopping_on_signals() -> Iterator[Callable[[], None]]:
    """Turn the first SIGINT, SIGTERM or SIGHUP into `_Stopped`; ignore those that come while things stop.

    Gives a function that makes every later signal ignored.
    """
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def ignore() -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)

    def stop(number: int, _: FrameType | None) -> None:
        ignore()
        raise _Stopped(number)

    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield ignore
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
