"""Questions that a signal leaves: `kill -INT` and `kill` do what Ctrl-C does, at a list too.

While it asks, the prompt library takes SIGINT for a key. Its text questions know that key and its lists do
not, so there the signal would be lost. Other signals it knows nothing of: what their handler raises comes up
wherever the loop is, and in one of the library's background tasks it is shown as an error to be confirmed
with ENTER.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

    from prompt_toolkit.application import Application
    from prompt_toolkit.key_binding import KeyPressEvent


@contextmanager
def leaving_by_signal() -> Iterator[None]:
    """Leave whatever is asked in the block when a signal comes: SIGINT raises KeyboardInterrupt there.

    SIGTERM runs its handler, if it has one, as the question is left, never in the middle of it; what it
    raises is raised there too.
    """
    from prompt_toolkit.application import create_app_session, get_app  # noqa: PLC0415  # only who is asked needs it
    from prompt_toolkit.input import create_input  # noqa: PLC0415
    from prompt_toolkit.key_binding import KeyBindings, merge_key_bindings  # noqa: PLC0415

    bindings = KeyBindings()

    @bindings.add("<sigint>")
    def leave(event: KeyPressEvent) -> None:
        event.app.exit(exception=KeyboardInterrupt, style="class:aborting")

    terminal = create_input()
    attach = terminal.attach

    @contextmanager
    def attach_to_question(ready: Callable[[], None]) -> Iterator[None]:
        question = get_app()
        question.key_bindings = merge_key_bindings(
            [known for known in (question.key_bindings, bindings) if known is not None]
        )
        with _left_by_term(question), attach(ready):
            yield

    terminal.attach = attach_to_question  # type: ignore[assignment,method-assign]  # when it is called, a question has begun
    with create_app_session(input=terminal):
        yield


@contextmanager
def _left_by_term(question: Application[object]) -> Iterator[None]:
    """Leave *question* in good order when SIGTERM comes, then run the handler that it had."""
    handler = signal.getsignal(signal.SIGTERM)
    if not callable(handler):  # nobody cleans up: the signal ends the process, or is ignored
        yield
        return
    loop = asyncio.get_running_loop()
    heard = False

    def hear(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  # the interface of signal handlers
        nonlocal heard
        heard = True
        loop.call_soon_threadsafe(leave)

    def leave() -> None:
        if not question.is_done:
            question.exit(exception=KeyboardInterrupt, style="class:aborting")

    signal.signal(signal.SIGTERM, hear)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, handler)
        if heard:
            signal.raise_signal(signal.SIGTERM)
