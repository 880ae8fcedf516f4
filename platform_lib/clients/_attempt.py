"""One attempt at a call: on the wire, in a span, with an outcome that says whether anything was sent."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2

from platform_lib._deadline import format_budget
from platform_lib._deadline import header as deadline_header
from platform_lib.clients._reply import Reply
from platform_lib.errors import CallFailed, NotSent, UnknownOutcome
from platform_lib.telemetry import client_span, mark_failed, outbound_headers

_CLIENT_ERROR = 400
_MAX_REPLY_BYTES = 8 * 1024 * 1024  # a payment's reply is a few kilobytes; more would only fill the memory
_safe = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_idempotent = _safe | {"PUT", "DELETE"}


@dataclass(frozen=True, slots=True)
class Call:
    """What the caller asked for, the same in every attempt.

    Attributes:
        span_name: what each attempt's span is called.
        attributes: of each attempt's span.
        idempotency_key: whether the call carries one.
    """

    method: str
    url: str
    content: bytes | None
    params: Mapping[str, str] | None
    headers: Mapping[str, str]
    span_name: str
    attributes: Mapping[str, str | int]
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

    def __init__(self, peer: str, client: httpx2.AsyncClient, *, internal: bool) -> None:
        self._peer = peer
        self._client = client
        self._internal = internal

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def attempt(self, call: Call, *, resends: int, seconds: float) -> Reply | CallFailed:
        """Make one attempt within *seconds* and return what came of it; any status is a reply here."""
        attributes = dict(call.attributes)
        if resends:
            attributes["http.request.resend_count"] = resends
        with client_span(call.span_name, attributes) as span:
            headers = dict(call.headers)
            if self._internal:
                headers.update(outbound_headers())
                headers[deadline_header] = format_budget(seconds)
            request = self._client.build_request(
                call.method, call.url, content=call.content, params=call.params, headers=headers
            )
            outcome = await self._send(request, seconds)
            if isinstance(outcome, Reply):
                span.set_attribute("http.response.status_code", outcome.status)
                if outcome.status >= _CLIENT_ERROR:
                    mark_failed(span, str(outcome.status))
            else:
                mark_failed(span, outcome.reason)
        return outcome

    async def _send(self, request: httpx2.Request, seconds: float) -> Reply | CallFailed:
        """Send *request*; a failure before its first byte is `NotSent`, any later one `UnknownOutcome`."""
        sent = False
        half_open: Any = None  # a stream between TCP and TLS

        async def note(event: str, info: dict[str, Any]) -> None:
            nonlocal sent, half_open
            match event:
                case "connection.connect_tcp.complete":
                    half_open = info["return_value"]
                case "connection.start_tls.complete":
                    half_open = None
                case "http11.send_request_headers.started":
                    sent, half_open = True, None

        request.extensions["trace"] = note
        try:
            async with asyncio.timeout(seconds):
                response = await self._client.send(request, stream=True)
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

    @staticmethod
    async def _read(response: httpx2.Response) -> bytes | None:
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > _MAX_REPLY_BYTES:
                return None
        return bytes(body)


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
