"""Whether a request failed, and what its `error.type` is, where no status tells."""

from __future__ import annotations

from collections.abc import Coroutine

from platform_lib.telemetry._request import Receive
from platform_lib.telemetry._spans import error_type

_SERVER_ERROR = 500


def why_failed(error: BaseException, status: int | None, *, complete: bool) -> str | None:
    """Return the `error.type` of a request whose application raised *error*; None if it had been answered.

    What fails behind a good answer, a background task say, is not the request; after an error's answer the
    exception is the reason of it.
    """
    if complete and status is not None and status < _SERVER_ERROR:
        return None
    return error_type(error)


def why_incomplete(receive: Receive) -> str:
    """Return the `error.type` of a request whose application returned before its response was complete.

    A server says `http.disconnect` at once when the client is gone, and waits for it otherwise; so one step
    of *receive* tells, and no request pays for being watched.
    """
    waiting = receive()
    if isinstance(waiting, Coroutine):
        try:
            waiting.send(None)
        except StopIteration as told:
            if told.value["type"] == "http.disconnect":
                return "client_disconnected"
        except Exception:  # noqa: BLE001  # telemetry never adds an error of its own
            return "incomplete_response"
        else:
            waiting.close()
    return "incomplete_response"
