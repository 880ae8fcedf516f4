"""Calls to HTTP peers whose failures say whether the peer may have done the work.

A call goes through, from the outside in: a limit of calls at once, a deadline for all of it, retries, a
circuit breaker, and a time limit for each attempt.
"""

from __future__ import annotations

import random as system_random
from collections.abc import Callable
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

import httpx2

from platform_lib import strict_json
from platform_lib._deadline import Deadline, current_deadline
from platform_lib._deadline import header as deadline_header
from platform_lib._version import __version__
from platform_lib.clients._attempt import Call, Wire
from platform_lib.clients._breaker import CircuitBreaker
from platform_lib.clients._http_settings import CircuitBreakerSettings, HttpClientSettings, RetrySettings
from platform_lib.clients._limiter import Limiter
from platform_lib.clients._reply import Reply
from platform_lib.clients._retry import Retries
from platform_lib.clients._tls import trusted
from platform_lib.clients._transaction import refuse_call_inside_transaction
from platform_lib.clock import Clock, SystemClock
from platform_lib.errors import CallFailed, NotSent, NotStarted, UnknownOutcome
from platform_lib.redaction import mask_url, redact
from platform_lib.telemetry._catalogue import client_rejections, client_retries

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

__all__ = [
    "CircuitBreakerSettings",
    "HttpClient",
    "HttpClientSettings",
    "Reply",
    "RetrySettings",
    "http_client",
]

_DEFAULT_PORTS = {"http": 80, "https": 443}
_CLIENT_ERROR, _SERVER_ERROR = 400, 500
_idle_connections = 20
# Only the client itself writes these, and only to peers inside the trust boundary.
_withheld_headers = frozenset({"traceparent", "tracestate", "baggage", deadline_header.lower()})


class HttpClient:
    """A client of one peer: an async context manager, to be registered as a resource of the service.

    Errors: ValueError if the settings' `url` is no http or https URL with a host.
    """

    def __init__(
        self,
        name: str,
        settings: HttpClientSettings,
        *,
        internal: bool = False,
        headers: Mapping[str, str] | None = None,
        clock: Clock | None = None,
        random: Callable[[], float] = system_random.random,
    ) -> None:
        url = settings.url
        parts = urlsplit(url)
        if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
            raise ValueError(f"{name}: {mask_url(url)!r} is no http or https URL; give one with a host")
        self.name = name
        self._url = url.rstrip("/")
        self._settings = settings
        self._internal = internal
        self._is_near = internal or _is_loopback(parts.hostname)
        self._headers = {
            "User-Agent": f"paypath/{__version__}",
            "Accept-Encoding": "identity",
            **_handed_on(headers),
        }
        self._server: dict[str, str | int] = {
            "server.address": parts.hostname,
            "server.port": parts.port or _DEFAULT_PORTS[parts.scheme],
        }
        self._clock: Clock = clock or SystemClock()
        self._retries = Retries(settings.retry, self._clock, random)
        self._breaker = CircuitBreaker(name, settings.breaker, self._clock)
        self._limiter = Limiter(name, settings.max_concurrent)
        self._wire: Wire | None = None

    async def __aenter__(self) -> Self:
        # The limiter counts calls; connections follow from it, and a second limit would only hide queues.
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=_idle_connections)
        client = httpx2.AsyncClient(
            base_url=self._url,
            headers=self._headers,
            limits=limits,
            # A proxy of the environment stands between us and the world, never between us and our own.
            transport=httpx2.AsyncHTTPTransport(verify=trusted(), limits=limits) if self._is_near else None,
            verify=trusted(),
            timeout=None,  # one limit for the whole attempt stands in Wire
            # One merchant's cookie must never travel with the next merchant's call.
            cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
        )
        self._limiter = Limiter(self.name, self._settings.max_concurrent)  # one for each event loop
        self._wire = Wire(self.name, client, self._server, internal=self._internal)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        wire, self._wire = self._wire, None
        if wire is not None:
            await wire.close()

    async def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
        operation: str | None = None,
    ) -> Reply:
        """Make a call and return the reply, 4xx included; redirects are not followed.

        *operation* names the span of each attempt, such as `authorise`. With `retry.attempts` above 1, a call
        is tried again after a failure that may pass (not sent, reply lost, 429, 502, 503, 504) if its method
        is idempotent (RFC 9110 section 9.2.2) or it carries an *idempotency_key*; never after the deadline.

        Once an attempt at a call that changes something is lost, only a reply below 400 settles the matter:
        a later refusal may be about the repetition, so the outcome stays unknown.

        Raises:
            NotSent: the peer never saw the request; trying again is safe. The reason is ``circuit_open``,
                ``too_many_calls`` or ``deadline_passed`` if it was not even tried.
            UnknownOutcome: timeout, lost connection or 5xx after the request was sent, in any attempt.
            LawBroken: a database transaction is open.
            NotStarted: the service has not opened the client.
            ValueError: *path* does not start with a slash.
        """
        refuse_call_inside_transaction(self.name, operation or f"{method} {path}")
        wire = self._wire
        if wire is None:
            raise NotStarted(self.name)
        if not path.startswith("/"):
            raise ValueError(f"{self.name}: the path {path!r} does not start with a slash; the host is fixed")
        call = Call(
            method=method,
            url=self._url + path,
            content=None if json is None else strict_json.dumps(json),
            params=params,
            headers=self._request_headers(headers, idempotency_key, with_json=json is not None),
            span_name=operation or f"{method} {self.name}",
            # Without its query, in which references and tokens stand.
            attributes={"url.full": redact(mask_url(self._url + path.partition("?")[0]))},
            server=self._server,
            idempotency_key=idempotency_key is not None,
        )
        own = Deadline.after(self._settings.timeout, self._clock)
        inherited = current_deadline()
        hurried = inherited is not None and inherited.remaining() < own.remaining()
        deadline = inherited if inherited is not None and hurried else own
        async with self._limiter.turn(min(self._settings.max_wait, deadline.remaining())):
            return await self._call(wire, call, deadline, hurried=hurried)

    async def _call(self, wire: Wire, call: Call, deadline: Deadline, *, hurried: bool) -> Reply:
        self._retries.count_call()
        outcome = await self._attempt(wire, call, deadline, hurried=hurried)
        if outcome is None:
            reason = "circuit_open" if deadline.remaining() > 0 else "deadline_passed"
            client_rejections.add(1, {"peer": self.name, "reason": reason})
            raise NotSent(self.name, reason)
        lost = _lost(outcome)
        resends = 0
        while call.repeatable:
            pause = self._retries.pause(resends, outcome, seconds_left=deadline.remaining())
            if pause is None:
                break
            await self._clock.sleep(pause)
            resends += 1
            again = await self._attempt(wire, call, deadline, resends=resends, hurried=hurried)
            if again is None:
                break
            client_retries.add(1, {"peer": self.name, "error.type": _why(outcome)})
            outcome = again
            lost = lost or _lost(outcome)
        return _settled(call, outcome, lost)

    async def _attempt(
        self, wire: Wire, call: Call, deadline: Deadline, *, resends: int = 0, hurried: bool
    ) -> Reply | CallFailed | None:
        """Make one attempt; None if the deadline or the circuit lets none through."""
        seconds = min(self._settings.attempt_timeout or self._settings.timeout, deadline.remaining())
        permit = self._breaker.enter() if seconds > 0 else None
        if permit is None:
            return None
        failed: bool | None = None
        try:
            outcome = await wire.attempt(call, resends=resends, seconds=seconds)
            failed = _is_failure(outcome)
            if hurried and isinstance(outcome, CallFailed) and outcome.reason == "timeout":
                failed = None  # our own caller was in a hurry; that says nothing about the peer
        finally:
            self._breaker.leave(permit, failed=failed)
        return outcome

    def _request_headers(
        self, given: Mapping[str, str] | None, idempotency_key: str | None, *, with_json: bool
    ) -> dict[str, str]:
        headers = _handed_on(given)
        if with_json:
            headers["Content-Type"] = "application/json"
        if idempotency_key is not None:
            headers["Idempotency-Key"] = idempotency_key
        for name, value in headers.items():
            if not value.isprintable():
                raise ValueError(f"{self.name}: the header {name} has a control character in it; remove it")
        return headers


def http_client(
    name: str,
    settings_or_base_url: HttpClientSettings | str,
    *,
    internal: bool = False,
    headers: Mapping[str, str] | None = None,
    clock: Clock | None = None,
    random: Callable[[], float] = system_random.random,
) -> HttpClient:
    """Make the client of the peer *name*.

    *internal* says that the peer is inside the trust boundary: only then does it learn the trace's id and
    baggage, and, as `Deadline-Budget` in milliseconds, how long the attempt may take. *headers* go with every
    call. *random* gives numbers from 0 to 1 for the pauses between attempts, which wait on *clock*.
    """
    settings = (
        HttpClientSettings(url=settings_or_base_url)
        if isinstance(settings_or_base_url, str)
        else settings_or_base_url
    )
    return HttpClient(name, settings, internal=internal, headers=headers, clock=clock, random=random)


def _handed_on(headers: Mapping[str, str] | None) -> dict[str, str]:
    return {name: value for name, value in (headers or {}).items() if name.lower() not in _withheld_headers}


def _is_failure(outcome: Reply | CallFailed) -> bool:
    return isinstance(outcome, CallFailed) or outcome.status >= _SERVER_ERROR


def _why(outcome: Reply | CallFailed) -> str:
    return outcome.reason if isinstance(outcome, CallFailed) else str(outcome.status)


def _lost(outcome: Reply | CallFailed) -> UnknownOutcome | None:
    """Return the error of an attempt after which the peer may have done the work."""
    if isinstance(outcome, Reply) and outcome.status >= _SERVER_ERROR:
        return UnknownOutcome(outcome.peer, f"http_{outcome.status}")
    return outcome if isinstance(outcome, UnknownOutcome) else None


def _settled(call: Call, outcome: Reply | CallFailed, lost: UnknownOutcome | None) -> Reply:
    """Return the reply that settles the call, or raise what is known of it after all attempts."""
    if (
        lost is not None
        and not call.safe
        and (isinstance(outcome, CallFailed) or outcome.status >= _CLIENT_ERROR)
    ):
        raise lost
    if isinstance(outcome, CallFailed):
        raise outcome
    if (failure := _lost(outcome)) is not None:
        raise failure
    return outcome


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:  # a name
        return host == "localhost"
