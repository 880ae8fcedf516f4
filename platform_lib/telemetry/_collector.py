"""A collector's OTLP endpoint, spoken to by http/protobuf over one kept connection.

Source: OTLP 1.5, section OTLP/HTTP: 429, 502, 503 and 504 may be sent again, any other failure may not.
"""

from __future__ import annotations

import base64
import gzip
import http.client
import logging
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from platform_lib.errors import ConfigError
from platform_lib.redaction import mask_url

if TYPE_CHECKING:
    from platform_lib.telemetry._outlet import Deliver, Outcome
    from platform_lib.telemetry._plan import Destination

_OK, _REDIRECT = 200, 300
_LATER = frozenset({429, 502, 503, 504})
_logger = logging.getLogger("platform_lib.telemetry")
_PROVIDERS = "opentelemetry_otlp_credential_provider"


class Collector:
    """One endpoint, through the environment's proxy if there is one; `post` is called by one thread."""

    def __init__(self, destination: Destination) -> None:
        parts = urlsplit(destination.url)
        self._shown = mask_url(destination.url)
        self._https = parts.scheme == "https"
        self._host, self._port = parts.hostname or "localhost", parts.port
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._headers = _headers(destination)
        self._compress = destination.compress
        self._timeout = destination.timeout_seconds
        self._tls = destination.tls
        self._proxy = _proxy(parts)
        if self._proxy is not None and not self._https:
            self._target = destination.url  # RFC 9112 section 3.2.2: a proxy is told the whole URL
            self._headers |= _proxy_authorization(self._proxy)
        self._connection: http.client.HTTPConnection | None = None

    def post(self, body: bytes) -> Outcome:
        """Send one export request and say what became of it; raises nothing.

        Why it was not taken is a warning, of which the platform's log shows one a minute.
        """
        if self._compress:
            body = gzip.compress(body, compresslevel=1)
        kept = self._connection is not None
        try:
            return self._once(body)
        except TimeoutError as error:
            return self._failed(error)
        except (http.client.HTTPException, OSError) as error:
            if not kept:
                return self._failed(error)
        self.close()
        try:  # the collector may have closed a connection that nothing was sent on for long
            return self._once(body)
        except (http.client.HTTPException, OSError) as error:
            return self._failed(error)

    def _once(self, body: bytes) -> Outcome:
        if self._connection is None:
            self._connection = self._connect()
        self._connection.request("POST", self._target, body, self._headers)
        response = self._connection.getresponse()
        response.read()
        if response.will_close:
            self.close()
        outcome = outcome_of(response.status)
        if outcome != "taken":
            _logger.warning("%s: status %d", self._shown, response.status)
        return outcome

    def _failed(self, error: Exception) -> Outcome:
        self.close()
        _logger.warning("%s: %s", self._shown, type(error).__name__)
        return "later"

    def _connect(self) -> http.client.HTTPConnection:
        proxy = self._proxy
        host, port = (self._host, self._port) if proxy is None else (proxy.hostname or "", proxy.port)
        if not self._https:
            return http.client.HTTPConnection(host, port, timeout=self._timeout)
        connection = http.client.HTTPSConnection(host, port, timeout=self._timeout, context=self._tls)
        if proxy is not None:
            connection.set_tunnel(self._host, self._port, _proxy_authorization(proxy))
        return connection

    def close(self) -> None:
        """Close the connection that is kept."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def deliver_to(destination: Destination) -> Deliver:
    """Return the function that sends to *destination*.

    Errors: `ConfigError` if its credential provider is not installed.
    """
    if destination.credential_provider:
        return _by_session(destination)
    return Collector(destination).post


def outcome_of(status: int) -> Outcome:
    """Return what a response's status says of the request."""
    if _OK <= status < _REDIRECT:
        return "taken"
    return "later" if status in _LATER else "refused"


def _headers(destination: Destination) -> dict[str, str]:
    headers = {"Content-Type": "application/x-protobuf", "User-Agent": "paypath-otlp", **destination.headers}
    return headers | {"Content-Encoding": "gzip"} if destination.compress else headers


def _proxy(parts: SplitResult) -> SplitResult | None:
    """Return the proxy to *parts* that the environment names, as every HTTP client reads it."""
    url = getproxies().get(parts.scheme)
    if not url or proxy_bypass(parts.netloc.rpartition("@")[2]):
        return None
    return urlsplit(url if "://" in url else f"http://{url}")


def _proxy_authorization(proxy: SplitResult) -> dict[str, str]:
    if not proxy.username:
        return {}
    user = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": f"Basic {base64.b64encode(user.encode()).decode()}"}


def _by_session(destination: Destination) -> Deliver:
    """Send by the `requests.Session` of a credential provider, which adds its tokens itself."""
    found = list(entry_points(group=_PROVIDERS, name=destination.credential_provider))
    if not found:
        raise ConfigError(
            f"OTEL_PYTHON_EXPORTER_OTLP_HTTP_CREDENTIAL_PROVIDER: {destination.credential_provider!r} is not "
            f"installed; install a package with an entry point of this name in {_PROVIDERS}"
        )
    session: Any = found[0].load()()
    headers = _headers(destination)

    def post(body: bytes) -> Outcome:
        try:
            response = session.post(
                destination.url,
                data=gzip.compress(body, compresslevel=1) if destination.compress else body,
                headers=headers,
                timeout=destination.timeout_seconds,
                allow_redirects=False,
            )
        except OSError:  # what requests raises are all of these
            return "later"
        return outcome_of(response.status_code)

    return post
