"""What a caller is told who is not known."""

from __future__ import annotations

from platform_lib.errors import Problem


class Unauthenticated(Problem):
    """The request has no API key, or one that is not valid; which of the two is said, and no more.

    Source: RFC 9110 section 11.6.1, RFC 6750 section 3 (``WWW-Authenticate``).
    """

    status = 401
    code = "unauthenticated"
    title = "The caller is not authenticated"

    def __init__(self, detail: str | None = None, *, error: str | None = None) -> None:
        challenge = 'Bearer realm="merchants"' + (f', error="{error}"' if error else "")
        super().__init__(detail, headers={"WWW-Authenticate": challenge})
