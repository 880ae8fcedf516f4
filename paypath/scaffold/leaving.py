"""Questions that SIGINT leaves: `kill -INT` does what Ctrl-C does, at a list too.

While it asks, the prompt library takes SIGINT for a key. Its text questions know that key and its lists do
not, so there the signal would be lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prompt_toolkit.key_binding import KeyPressEvent


@contextmanager
def leaving_by_signal() -> Iterator[None]:
    """Have SIGINT raise KeyboardInterrupt at whatever is asked in the block."""
    from prompt_toolkit.application import create_app_session, get_app  # noqa: PLC0415  # only who is asked needs it
    from prompt_toolkit.input import create_input  # noqa: PLC0415
    from prompt_toolkit.key_binding import KeyBindings, merge_key_bindings  # noqa: PLC0415

    bindings = KeyBindings()

    @bindings.add("<sigint>")
    def leave(event: KeyPressEvent) -> None:
        event.app.exit(exception=KeyboardInterrupt, style="class:aborting")

    terminal = create_input()
    attach = terminal.attach

    def attach_to_question(ready: Callable[[], None]) -> AbstractContextManager[None]:
        question = get_app()
        question.key_bindings = merge_key_bindings(
            [known for known in (question.key_bindings, bindings) if known is not None]
        )
        return attach(ready)

    terminal.attach = attach_to_question  # type: ignore[assignment,method-assign]  # when it is called, a question has begun
    with create_app_session(input=terminal):
        yield
