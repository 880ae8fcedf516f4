"""What the event loop is doing: each task and where it waits; places in code only, never a value."""

from __future__ import annotations

import asyncio
from types import FrameType
from typing import Any

from platform_lib.redaction import redact

_deepest = 100


def tasks() -> list[dict[str, str]]:
    """Return the running loop's tasks by name, each with the place in code that it waits at."""
    found = [
        {"name": redact(task.get_name()), "waits_at": _place(task.get_coro())} for task in asyncio.all_tasks()
    ]
    return sorted(found, key=lambda task: task["name"])


def _place(coroutine: Any) -> str:
    """Return module, line and function of the innermost frame that *coroutine* is suspended in."""
    place = "unknown"
    for _ in range(_deepest):
        frame = _frame(coroutine)
        if frame is None:
            break
        place = f"{frame.f_globals.get('__name__', '?')}:{frame.f_lineno} in {frame.f_code.co_qualname}"
        coroutine = _awaited(coroutine)
    return place


def _frame(coroutine: Any) -> FrameType | None:
    for attribute in ("cr_frame", "gi_frame", "ag_frame"):
        frame = getattr(coroutine, attribute, None)
        if frame is not None:
            return frame  # type: ignore[no-any-return]  # attributes of three types without a common base
    return None


def _awaited(coroutine: Any) -> Any:
    for attribute in ("cr_await", "gi_yieldfrom", "ag_await"):
        awaited = getattr(coroutine, attribute, None)
        if awaited is not None:
            return awaited
    return None
