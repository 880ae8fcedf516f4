"""What a caller is told who is not known, or may not do this."""

from __future__ import annotations

from platform_lib.errors import Problem


class Unauthenticated(Problem):
    """The request has no credentials, or some that are not valid; which of the two is said, and little more.

    Source: RFC 9110 section 11.6.1, RFC 6750 section 3 (``WWW-Authenticate``).
    """

    status = 401
    code = "unauthenticated"
    title = "The caller is not authenticated"

    def __init__(
        self, detail: str | None = None, *, error: str | None = None, realm: str = "merchants"
    ) -> None:
        challenge = f'Bearer realm="{realm}"' + (f', error="{error}"' if error else "")
        super().__init__(detail, headers={"WWW-Authenticate": challenge})


class Forbidden(Problem):
    """The caller is known, and may not do this.

    Source: RFC 6750 section 3.1 (``insufficient_scope``).
    """

    status = 403
    code = "forbidden"
    title = "The caller may not do this"

    def __init__(self, detail: str | None = None, *, scope: str = "", realm: str = "callers") -> None:
        challenge = f'Bearer realm="{realm}", error="insufficient_scope"'
        super().__init__(
            detail, headers={"WWW-Authenticate": challenge + (f', scope="{scope}"' if scope else "")}
        )
