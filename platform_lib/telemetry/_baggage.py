"""The `baggage` header: what callers inside the trust boundary want known downstream.

OpenTelemetry's own propagator reads `+` as a space and writes a space as `+`, which no other language does,
folds the properties of a member into its value, and logs what was sent when it is too long.
Source: W3C Baggage (Candidate Recommendation Draft), section 3.3.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from urllib.parse import quote, unquote

_MAX_MEMBERS = 64
_MAX_BYTES = 8192

_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"  # RFC 9110 section 5.6.2  # noqa: S105
_VALUE = r"[!#-+\--:<-\[\]-~]*"  # visible ASCII but for the quotation mark, comma, semicolon, backslash
_member = re.compile(rf"({_TOKEN})[ \t]*=[ \t]*({_VALUE})[ \t]*(?:;.*)?")
_token = re.compile(_TOKEN)
_UNQUOTED = "!#$&'()*+-./:<=>?@[]^_`{|}~"


def parse_baggage(header: str) -> dict[str, str]:
    """Return the members of a `baggage` header, its lines joined by commas; a malformed member is left out.

    At most 64 members of 8192 bytes together are taken, the first ones; properties of a member are not.
    """
    return dict(_within_limits(_members(header)))


def sent_baggage(members: Mapping[str, object]) -> str:
    """Return *members* as a header of at most 64 members and 8192 bytes; empty for none.

    A key that is no token cannot be sent; of values only what the standard allows goes as it is.
    """
    texts = ((key, str(value)) for key, value in members.items() if _token.fullmatch(key))
    return ",".join(f"{key}={_quoted(value)}" for key, value in _within_limits(texts))


def _members(header: str) -> Iterator[tuple[str, str]]:
    for text in header.split(","):
        match = _member.fullmatch(text.strip(" \t"))
        if match is not None:
            yield match[1], unquote(match[2], errors="replace")


def _within_limits(members: Iterator[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield the members that fit, each measured as it is sent on."""
    size = -1  # as many commas as members, but for one
    for key, value in islice(members, _MAX_MEMBERS):
        size += len(key) + len(_quoted(value)) + 2
        if size > _MAX_BYTES:
            return
        yield key, value


def _quoted(value: str) -> str:
    return quote(value, safe=_UNQUOTED, errors="replace")
