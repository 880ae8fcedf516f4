"""The authorities that this machine trusts, read once for all clients of a process."""

from __future__ import annotations

import ssl
from functools import cache

import httpx2


@cache
def trusted() -> ssl.SSLContext:
    """Return the context that httpx2 makes by default; ``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` count.

    Making one reads some 140 certificates, 20 to 40 ms of work, and one may serve any number of clients.
    """
    return httpx2.create_ssl_context()
