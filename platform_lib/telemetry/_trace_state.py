"""The `tracestate` header: what tracing systems before us left in a request, kept for those after us.

OpenTelemetry's own `TraceState` keeps to the keys of level 1, so one key of level 2 costs all the entries; it
drops a full list instead of truncating it, and logs what a stranger sent.
Source: W3C Trace Context level 2 (candidate of 2024-03-28), "Tracestate Header" and "Mutating the tracestate
Field".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from opentelemetry.trace.span import TraceState

# @ is a letter like others, which level 1 allowed once and in one place.
_KEY = r"[a-z0-9][a-z0-9_\-*/@]{0,255}"
_VALUE = r"[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"
_key, _value, _member = re.compile(_KEY), re.compile(_VALUE), re.compile(f"({_KEY})=({_VALUE})")

_MAX_MEMBERS = 32
_MAX_READ = 32_768  # characters: twice the longest list there can be, the rest being room for white space
_MAX_SENT = 512  # characters: what "tracestate Limits" has everyone propagate, so what no peer may drop
_LARGE_MEMBER = 128  # characters; a larger one goes first


class MemberList(TraceState):
    """A `tracestate` by the rules of level 2: at most 32 members, each key once, ours leftmost.

    What is added or changed moves to the left; where the list is full, the rightmost member makes room.
    An invalid key or value changes nothing.
    """

    def __init__(self, entries: Sequence[tuple[str, str]] | None = None) -> None:
        super().__init__()
        valid = ((key, value) for key, value in entries or () if _is_valid(key, value))
        for key, value in valid:
            if len(self._dict) < _MAX_MEMBERS:
                self._dict.setdefault(key, value)

    def add(self, key: str, value: str) -> TraceState:
        """Return the list with a new member on its left; itself if the key is there or a part is invalid."""
        return self if key in self._dict else self.update(key, value)

    def update(self, key: str, value: str) -> TraceState:
        """Return the list with *key* on its left, whether it was there or not."""
        if not _is_valid(key, value):
            return self
        others = ((name, other) for name, other in self._dict.items() if name != key)
        return MemberList([(key, value), *others])

    def delete(self, key: str) -> TraceState:
        """Return the list without *key*."""
        return MemberList([(name, value) for name, value in self._dict.items() if name != key])

    def to_header(self) -> str:
        """Return what is sent: at most 512 characters, truncated by whole members."""
        return sent_tracestate(self)

    @classmethod
    def from_header(cls, header_list: list[str]) -> TraceState:
        """Read one or several headers; see `parse_tracestate`."""
        return parse_tracestate(header_list)


def parse_tracestate(headers: Iterable[str]) -> TraceState:
    """Read the `tracestate` of a request, its header lines in the order of their arrival.

    Empty members are allowed. An invalid member, a key that comes twice or a 33rd member discards the whole
    list: an empty state, never an error.
    Source: W3C Trace Context level 2, "tracestate Header Field Values"; lines joined by RFC 9110 section 5.3.
    """
    combined = ",".join(headers)
    if len(combined) > _MAX_READ:
        return MemberList()
    members: dict[str, str] = {}
    for text in combined.split(","):
        member = text.strip(" \t")
        if not member:
            continue
        # Spaces before a value belong to it, those after it do not; the same at the key's side is invalid.
        match = _member.fullmatch(member)
        if match is None or match[1] in members or len(members) == _MAX_MEMBERS:
            return MemberList()
        members[match[1]] = match[2]
    return MemberList(list(members.items()))


def sent_tracestate(state: Mapping[str, str]) -> str:
    """Return *state* as the value of a header of at most 512 characters; empty for none.

    Only as many members go as have to: first those above 128 characters, then any, each from the right.
    """
    members = [f"{key}={value}" for key, value in islice(state.items(), _MAX_MEMBERS)]
    excess = sum(map(len, members)) + len(members) - 1 - _MAX_SENT
    for above in (_LARGE_MEMBER, 0):
        for index in reversed(range(len(members))):
            if excess > 0 and len(members[index]) > above:
                excess -= len(members.pop(index)) + 1
    return ",".join(members)


def _is_valid(key: str, value: str) -> bool:
    return _key.fullmatch(key) is not None and _value.fullmatch(value) is not None
