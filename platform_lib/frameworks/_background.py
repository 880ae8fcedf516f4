"""Background tasks in a trace of their own: they outlive the request, its span and its deadline."""

from __future__ import annotations

from starlette.background import BackgroundTask, BackgroundTasks

from platform_lib._deadline import keep_to
from platform_lib.telemetry import current_traceparent, linked_span


class _Linked(BackgroundTask):
    """A task in a root span that is linked to the request's."""

    def __init__(self, task: BackgroundTask, carrier: str | None) -> None:
        function = getattr(task, "func", task)
        super().__init__(function)  # whose attributes FastAPI reads
        self._task = task
        self._carrier = carrier
        self._name = f"background {getattr(function, '__name__', type(function).__name__)}"

    async def __call__(self) -> None:
        with keep_to(None), linked_span(self._name, self._carrier):
            await self._task()


def in_traces_of_their_own(background: BackgroundTask) -> BackgroundTask:
    """Return *background* with each task linked to the span that is current now."""
    carrier = current_traceparent()
    if not isinstance(background, BackgroundTasks):
        return _Linked(background, carrier)
    background.tasks = [_Linked(task, carrier) for task in background.tasks]
    return background
