"""Every error the platform raises on purpose.

::

    PlatformError
    ├── ConfigError            the configuration cannot be used; the process exits 78
    ├── NotStarted             a resource was used before the service opened it
    ├── LawBroken              code did what the platform forbids (a provider call inside a transaction)
    ├── CallFailed             a call to a peer gave no usable reply
    │   ├── NotSent            the peer certainly never saw the request; trying again is safe
    │   └── UnknownOutcome     the peer may have done the work; only the peer can tell
    └── Problem                an answer to a caller: RFC 9457 problem details
        ├── InvalidRequest     422  the request cannot be understood
        ├── NotFound           404  there is no such thing for this merchant
        ├── Refusal            409  a business "no": understood, and refused for a reason
        └── Fault              500  the service failed
            └── Unavailable    503  the service cannot serve now; retry later

A `Refusal` never pages anyone; a `Fault` does. Services subclass `Refusal` for their own business rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

__all__ = [
    "CallFailed",
    "ConfigError",
    "Fault",
    "InvalidRequest",
    "LawBroken",
    "NotFound",
    "NotSent",
    "NotStarted",
    "PlatformError",
    "Problem",
    "Refusal",
    "Unavailable",
    "UnknownOutcome",
]

type_prefix = "urn:problem:"


class PlatformError(Exception):
    """The base of every error that the platform raises on purpose."""


class ConfigError(PlatformError):
    """The configuration cannot be used; `str()` lists every problem at once, secrets masked."""


class NotStarted(PlatformError):
    """A resource was used before the service opened it, or after the service closed it."""

    def __init__(self, resource: str) -> None:
        self.resource = resource
        super().__init__(
            f"{resource}: used while it is not open; register it with Service.resource(), use it once started"
        )


class LawBroken(PlatformError):
    """Code did what the platform forbids; the message says what, why, and what to do instead."""


class CallFailed(PlatformError):
    """A call to a peer gave no usable reply; see the two subclasses for what may have happened.

    Attributes:
        peer: the name of the client that made the call.
        reason: what went wrong, as a short stable word such as ``timeout``; safe to log and store.
    """

    def __init__(self, peer: str, reason: str) -> None:
        self.peer = peer
        self.reason = reason
        super().__init__(f"{peer}: {reason}")


class NotSent(CallFailed):
    """The peer certainly never saw the request (connection refused, no such host): nothing was done."""


class UnknownOutcome(CallFailed):
    """The reply is lost (timeout, reset, 5xx): the peer may have done the work. Never call this failed."""


class Problem(PlatformError):
    """An answer to the caller as RFC 9457 problem details.

    Subclasses fix `status`, `code` and `title`; an instance adds `detail` and safe extension members.
    Nothing secret belongs in either: the document goes to the caller as it is.

    Attributes:
        status: the HTTP status code.
        code: a stable word for programs, such as ``capture_exceeds_authorisation``.
        title: the same for people; never changes from occurrence to occurrence (RFC 9457 section 3.1.3).
        retryable: whether the same request can succeed later without a change.
        detail: what happened this time, and what to do.
        extensions: further members of the document.
        headers: response headers, such as ``Retry-After``.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "Internal error"
    retryable: ClassVar[bool] = False

    def __init__(
        self, detail: str | None = None, *, headers: Mapping[str, str] | None = None, **extensions: Any
    ) -> None:
        self.detail = detail or self.title
        self.extensions = extensions
        self.headers = dict(headers or {})
        super().__init__(self.detail)

    def document(self, *, trace_id: str | None = None) -> dict[str, Any]:
        """Return the problem details document; `trace_id` lets support find the trace."""
        document: dict[str, Any] = {
            "type": type_prefix + self.code.replace("_", "-"),
            "title": self.title,
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
            "retryable": self.retryable,
            **self.extensions,
        }
        if trace_id:
            document["trace_id"] = trace_id
        return document


class InvalidRequest(Problem):
    """The request cannot be understood; `errors` lists each place and what is expected there."""

    status = 422
    code = "invalid_request"
    title = "The request is not valid"


class NotFound(Problem):
    """There is no such thing for this merchant."""

    status = 404
    code = "not_found"
    title = "Not found"


class Refusal(Problem):
    """A business "no": the request was understood and is refused for a reason the caller can act on."""

    status = 409
    code = "refused"
    title = "Refused"


class Fault(Problem):
    """The service failed; the caller did nothing wrong."""


class Unavailable(Fault):
    """The service cannot serve this request now; the same request can succeed later."""

    status = 503
    code = "unavailable"
    title = "Temporarily unavailable"
    retryable = True

    def __init__(self, detail: str | None = None, *, retry_after_seconds: int = 1, **extensions: Any) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after_seconds)}, **extensions)
