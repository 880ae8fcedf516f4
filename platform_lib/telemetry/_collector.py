"""A collector's OTLP endpoint, spoken to by http/protobuf over one kept connection.

Source: OTLP 1.5, section OTLP/HTTP: 429, 502, 503 and 504 may be sent again, any other failure may not.
"""

from __future__ import annotations

import gzip
import http.client
import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from platform_lib.telemetry._outlet import Outcome

_OK, _REDIRECT = 200, 300
_LATER = frozenset({429, 502, 503, 504})


class Collector:
    """One endpoint; `post` is called by one thread."""

    def __init__(
        self,
        url: str,
        *,
        headers: Mapping[str, str],
        timeout_seconds: float,
        compress: bool,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        parts = urlsplit(url)
        self._https = parts.scheme == "https"
        self._host, self._port = parts.hostname or "localhost", parts.port
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._headers = {"Content-Type": "application/x-protobuf", "User-Agent": "paypath-otlp", **headers}
        if compress:
            self._headers["Content-Encoding"] = "gzip"
        self._compress = compress
        self._timeout = timeout_seconds
        self._tls = tls
        self._connection: http.client.HTTPConnection | None = None

    def post(self, body: bytes) -> Outcome:
        """Send one export request and say what became of it; raises nothing."""
        if self._compress:
            body = gzip.compress(body, compresslevel=1)
        kept = self._connection is not None
        try:
            return self._once(body)
        except TimeoutError:
            kept = False
            self._drop()
        except (http.client.HTTPException, OSError):
            self._drop()
        if not kept:
            return "later"
        try:  # the collector may have closed a connection that nothing was sent on for long
            return self._once(body)
        except (http.client.HTTPException, OSError):
            self._drop()
            return "later"

    def _once(self, body: bytes) -> Outcome:
        if self._connection is None:
            self._connection = self._connect()
        self._connection.request("POST", self._path, body, self._headers)
        response = self._connection.getresponse()
        response.read()
        if response.will_close:
            self._drop()
        if _OK <= response.status < _REDIRECT:
            return "taken"
        return "later" if response.status in _LATER else "refused"

    def _connect(self) -> http.client.HTTPConnection:
        if self._https:
            return http.client.HTTPSConnection(
                self._host, self._port, timeout=self._timeout, context=self._tls
            )
        return http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
