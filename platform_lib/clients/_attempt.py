"""One attempt at a call: on the wire, in a span, with an outcome that says whether anything was sent."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import httpx2
from opentelemetry.metrics import Observation

from platform_lib._deadline import format_budget
from platform_lib._deadline import header as deadline_header
from platform_lib.clients._reply import Reply
from platform_lib.errors import CallFailed, NotSent, UnknownOutcome
from platform_lib.redaction import redact
from platform_lib.telemetry import client_span, mark_failed, outbound_headers
from platform_lib.telemetry._catalogue import client_active_requests, client_request_duration
from platform_lib.telemetry._request import METHODS
from platform_lib.telemetry._spans import error_type

_CLIENT_ERROR = 400
_MAX_METHOD = 32
_MAX_REPLY_BYTES = 8 * 1024 * 1024  # a payment's reply is a few kilobytes; more would only fill the memory
_safe = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_idempotent = _safe | {"PUT", "DELETE"}


@dataclass(frozen=True, slots=True)
class Call:
    """What the caller asked for, the same in every attempt.

    Attributes:
        span_name: what each attempt's span is called.
        attributes: of each attempt's span.
        server: the attributes that say where the peer is.
        idempotency_key: whether the call carries one.
    """

    method: str
    url: str
    content: bytes | None
    params: Mapping[str, str] | None
    headers: Mapping[str, str]
    span_name: str
    attributes: Mapping[str, str | int]
    server: Mapping[str, str | int]
    idempotency_key: bool

    @property
    def safe(self) -> bool:
        """Whether it changes nothing at the peer (RFC 9110 section 9.2.1)."""
        return self.method.upper() in _safe

    @property
    def repeatable(self) -> bool:
        """Whether making it twice does no more than once (RFC 9110 section 9.2.2, or by its key)."""
        return self.idempotency_key or self.method.upper() in _idempotent


class Wire:
    """An open client of one peer that makes single attempts."""

    def __init__(
        self, peer: str, client: httpx2.AsyncClient, server: Mapping[str, str | int], *, internal: bool
    ) -> None:
        self._peer = peer
        self._client = client
        self._server = server
        self._internal = internal
        self._active = Counter[str]()
        client_active_requests.watch(self._in_flight)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def attempt(self, call: Call, *, resends: int, seconds: float) -> Reply | CallFailed:
        """Make one attempt within *seconds* and return what came of it; any status is a reply here."""
        method = method_attributes(call.method)
        attributes = {**call.attributes, **call.server, **method}
        if resends:
            attributes["http.request.resend_count"] = resends
        verb = str(method["http.request.method"])
        with client_span(call.span_name, attributes) as span:
            exchange = _Exchange()
            failure: str | None = None
            began = perf_counter()
            self._active[verb] += 1
            try:
                outcome = await self._send(self._request(call, seconds), seconds, exchange)
                failure = _failure(outcome)
            except BaseException as error:
                failure = error_type(error)
                raise
            finally:
                self._active[verb] -= 1
                span.set_attributes(exchange.attributes)
                measured = {"http.request.method": verb, **call.server, **exchange.attributes}
                if failure is not None:
                    measured["error.type"] = failure
                client_request_duration.record(perf_counter() - began, measured)
            if failure is not None:
                mark_failed(span, failure)
        return outcome

    def _request(self, call: Call, seconds: float) -> httpx2.Request:
        headers = dict(call.headers)
        if self._internal:
            headers.update(outbound_headers())
            headers[deadline_header] = format_budget(seconds)
        return self._client.build_request(
            call.method, call.url, content=call.content, params=call.params, headers=headers
        )

    async def _send(self, request: httpx2.Request, seconds: float, exchange: _Exchange) -> Reply | CallFailed:
        """Send *request*; a failure before its first byte is `NotSent`, any later one `UnknownOutcome`."""
        sent = False
        half_open: Any = None  # a stream between TCP and TLS

        async def note(event: str, info: dict[str, Any]) -> None:
            nonlocal sent, half_open
            match event:
                case "connection.connect_tcp.complete":
                    half_open = info["return_value"]
                    exchange.peer(half_open)
                case "connection.start_tls.complete":
                    half_open = None
                case "http11.send_request_headers.started":
                    sent, half_open = True, None

        request.extensions["trace"] = note
        try:
            async with asyncio.timeout(seconds):
                response = await self._client.send(request, stream=True)
                exchange.answered(response)
                try:
                    body = await self._read(response)
                finally:
                    await response.aclose()
        except (TimeoutError, httpx2.TransportError) as error:
            failure = UnknownOutcome if sent else NotSent
            outcome = failure(self._peer, _reason(error))
            outcome.__cause__ = error
            return outcome
        finally:
            if half_open is not None:  # the library leaves it open when the handshake is cut off
                await half_open.aclose()
        if body is None:
            return UnknownOutcome(self._peer, "reply_too_large")
        return Reply(status=response.status_code, headers=response.headers, body=body, peer=self._peer)

    def _in_flight(self) -> Iterator[Observation]:
        for method, active in self._active.items():
            yield Observation(active, {**self._server, "http.request.method": method})

    @staticmethod
    async def _read(response: httpx2.Response) -> bytes | None:
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > _MAX_REPLY_BYTES:
                return None
        return bytes(body)


class _Exchange:
    """What is learnt while an attempt is under way, whatever comes of it, as span attributes."""

    def __init__(self) -> None:
        self.attributes: dict[str, str | int] = {}

    def peer(self, stream: Any) -> None:
        """Take note of who is at the other end of *stream*; a socket in the file system has no port."""
        address = stream.get_extra_info("server_addr")
        if isinstance(address, tuple):
            self.attributes["network.peer.address"], self.attributes["network.peer.port"] = address[:2]

    def answered(self, response: httpx2.Response) -> None:
        """Take note of *response* and the connection on which it came, which may be an old one."""
        self.attributes["http.response.status_code"] = response.status_code
        self.attributes["network.protocol.version"] = response.http_version.removeprefix("HTTP/")
        stream = response.extensions.get("network_stream")
        if stream is not None:
            self.peer(stream)


def method_attributes(method: str) -> dict[str, str | int]:
    """Return the attributes that say *method*, which is sent in capitals; an unknown one is `_OTHER`."""
    method = method.upper()
    if method in METHODS:
        return {"http.request.method": method}
    return {"http.request.method": "_OTHER", "http.request.method_original": redact(method[:_MAX_METHOD])}


def _failure(outcome: Reply | CallFailed) -> str | None:
    """Return the `error.type` of an attempt that failed; to a client 4xx is an error too."""
    if isinstance(outcome, CallFailed):
        return outcome.reason
    return str(outcome.status) if outcome.status >= _CLIENT_ERROR else None


def _reason(error: TimeoutError | httpx2.TransportError) -> str:
    match error:
        case TimeoutError():
            return "timeout"
        case httpx2.ConnectError():
            return "cannot_connect"
        case httpx2.ReadError() | httpx2.WriteError() | httpx2.CloseError():
            return "connection_reset"
        case httpx2.RemoteProtocolError():
            return "connection_closed"
        case _:
            return "transport_error"
