"""Calls to HTTP peers whose failures say whether the peer may have done the work."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ipaddress import ip_address
from typing import TYPE_CHECKING, Annotated, Any, Self
from urllib.parse import urlsplit

import httpx2
from pydantic import Field

from platform_lib import strict_json
from platform_lib._version import __version__
from platform_lib.clients._transaction import refuse_call_inside_transaction
from platform_lib.config import Seconds, Section
from platform_lib.errors import CallFailed, NotSent, NotStarted, UnknownOutcome
from platform_lib.redaction import mask_url, redact
from platform_lib.telemetry import client_span, mark_failed, outbound_headers

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

_DEFAULT_PORTS = {"http": 80, "https": 443}
_CLIENT_ERROR, _SERVER_ERROR = 400, 500
_MAX_REPLY_BYTES = 8 * 1024 * 1024  # a payment's reply is a few kilobytes; more would only fill the memory
_TRACE_HEADERS = frozenset({"traceparent", "tracestate", "baggage"})


class HttpClientSettings(Section):
    """Where a peer is and how long to wait for it."""

    url: Annotated[str, Field(description="base URL of the peer, such as https://api.example.com/v1")]
    timeout: Annotated[
        Seconds, Field(gt=0, description="limit of a whole call, from connecting to the last byte")
    ] = 10.0


@dataclass(frozen=True, slots=True)
class Reply:
    """What a peer answered: any status below 500."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    peer: str = ""

    def json(self) -> Any:
        """Return the body as JSON; a body that is none raises `UnknownOutcome`: the answer is unreadable."""
        try:
            return strict_json.loads(self.body, allow_floats=True)
        except strict_json.StrictJsonError as error:
            raise UnknownOutcome(self.peer, "malformed_reply") from error


class HttpClient:
    """A client of one peer: an async context manager, to be registered as a resource of the service."""

    def __init__(
        self,
        name: str,
        *,
        url: str,
        timeout_seconds: float,
        internal: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
            raise ValueError(f"{name}: {mask_url(url)!r} is no http or https URL; give one with a host")
        self.name = name
        self._url = url.rstrip("/")
        self._timeout_seconds = timeout_seconds
        self._internal = internal
        self._is_near = internal or _is_loopback(parts.hostname)
        self._headers = {
            "User-Agent": f"paypath/{__version__}",
            "Accept-Encoding": "identity",
            **(headers or {}),
        }
        self._attributes: dict[str, str | int] = {
            "server.address": parts.hostname,
            "server.port": parts.port or _DEFAULT_PORTS[parts.scheme],
        }
        self._client: httpx2.AsyncClient | None = None

    async def __aenter__(self) -> Self:
        self._client = httpx2.AsyncClient(
            base_url=self._url,
            headers=self._headers,
            # A proxy of the environment stands between us and the world, never between us and our own.
            transport=httpx2.AsyncHTTPTransport() if self._is_near else None,
            timeout=None,  # one limit for the whole call stands in _send
            # One merchant's cookie must never travel with the next merchant's call.
            cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

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
        """Make one attempt at a call and return the reply, 4xx included.

        *operation* names the span, such as `authorise`. Redirects are not followed, nothing is retried.

        Raises:
            NotSent: the peer never saw the request; trying again is safe.
            UnknownOutcome: timeout, lost connection or 5xx after the request was sent.
            LawBroken: a database transaction is open.
        """
        refuse_call_inside_transaction(self.name, operation or f"{method} {path}")
        client = self._client
        if client is None:
            raise NotStarted(self.name)
        if not path.startswith("/"):
            raise ValueError(f"{self.name}: the path {path!r} does not start with a slash; the host is fixed")
        attributes: dict[str, str | int] = {
            **self._attributes,
            "http.request.method": method,
            "url.full": redact(mask_url(self._url + path.partition("?")[0])),
        }
        with client_span(operation or f"{method} {self.name}", attributes) as span:
            request = client.build_request(
                method,
                self._url + path,
                content=None if json is None else strict_json.dumps(json),
                params=params,
                headers=self._request_headers(headers, idempotency_key, with_json=json is not None),
            )
            outcome = await self._send(client, request)
            if isinstance(outcome, Reply):
                span.set_attribute("http.response.status_code", outcome.status)
                if outcome.status >= _CLIENT_ERROR:
                    mark_failed(span, str(outcome.status))
            else:
                mark_failed(span, outcome.reason)
        if isinstance(outcome, CallFailed):
            raise outcome
        if outcome.status >= _SERVER_ERROR:
            raise UnknownOutcome(self.name, f"http_{outcome.status}")
        return outcome

    def _request_headers(
        self, given: Mapping[str, str] | None, idempotency_key: str | None, *, with_json: bool
    ) -> dict[str, str]:
        headers = {name: value for name, value in (given or {}).items() if name.lower() not in _TRACE_HEADERS}
        if with_json:
            headers["Content-Type"] = "application/json"
        if idempotency_key is not None:
            headers["Idempotency-Key"] = idempotency_key
        if self._internal:
            headers.update(outbound_headers())
        for name, value in headers.items():
            if not value.isprintable():
                raise ValueError(f"{self.name}: the header {name} has a control character in it; remove it")
        return headers

    async def _send(self, client: httpx2.AsyncClient, request: httpx2.Request) -> Reply | CallFailed:
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
            async with asyncio.timeout(self._timeout_seconds):
                response = await client.send(request, stream=True)
                try:
                    body = await self._read(response)
                finally:
                    await response.aclose()
        except (TimeoutError, httpx2.TransportError) as error:
            failure = UnknownOutcome if sent else NotSent
            outcome = failure(self.name, _reason(error))
            outcome.__cause__ = error
            return outcome
        finally:
            if half_open is not None:  # the library leaves it open when the handshake is cut off
                await half_open.aclose()
        if body is None:
            return UnknownOutcome(self.name, "reply_too_large")
        return Reply(status=response.status_code, headers=response.headers, body=body, peer=self.name)

    @staticmethod
    async def _read(response: httpx2.Response) -> bytes | None:
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > _MAX_REPLY_BYTES:
                return None
        return bytes(body)


def http_client(
    name: str,
    settings_or_base_url: HttpClientSettings | str,
    *,
    internal: bool = False,
    headers: Mapping[str, str] | None = None,
) -> HttpClient:
    """Make the client of the peer *name*.

    *internal* says that the peer is inside the trust boundary: only then does it learn the trace's id and
    baggage. *headers* go with every call.
    """
    settings = (
        HttpClientSettings(url=settings_or_base_url)
        if isinstance(settings_or_base_url, str)
        else settings_or_base_url
    )
    return HttpClient(
        name, url=settings.url, timeout_seconds=settings.timeout, internal=internal, headers=headers
    )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:  # a name
        return host == "localhost"


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
