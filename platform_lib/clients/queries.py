"""Named queries: SQL lives in .sql files, each query under a name and a one-line description.

::

    -- name: find_payment
    -- The payment of a merchant, whatever its state.
    SELECT * FROM payments WHERE merchant_id = $1 AND id = $2
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.resources import files
from itertools import pairwise

from platform_lib.errors import PlatformError

_NAME_LINE = re.compile(r"--\s*name:\s*(.*?)\s*")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_FIRST_WORD = re.compile(r"\s*(?:--[^\n]*\n\s*)*\(*\s*([A-Za-z]+)")


class BadQueries(PlatformError):
    """A file of queries cannot be used; the message names the file, the line and what to change."""


class UnknownQuery(PlatformError, AttributeError, KeyError):
    """There is no query of that name; the message lists the names there are."""

    __str__ = Exception.__str__  # a KeyError would put the message in quotes


@dataclass(frozen=True, slots=True)
class Query:
    """One named statement; its name is also the name of its span.

    Attributes:
        name: lower-case words joined by underscores.
        sql: one statement with the parameters `$1`, `$2` and so on.
        summary: one line that says what the statement does.
    """

    name: str
    sql: str
    summary: str

    @property
    def operation(self) -> str:
        """The statement's first word in capitals, such as SELECT; empty for WITH, which can hold several."""
        match = _FIRST_WORD.match(self.sql)
        word = match.group(1).upper() if match else ""
        return "" if word == "WITH" else word


class Queries(Mapping[str, Query]):
    """The queries of one file, by name: `queries.find_payment` or `queries["find_payment"]`."""

    def __init__(self, queries: Mapping[str, Query], origin: str) -> None:
        self._queries = dict(queries)
        self._origin = origin

    @classmethod
    def from_package(cls, package: str, file_name: str) -> Queries:
        """Read *file_name* that lies beside the modules of *package*.

        Errors: `BadQueries` if there is no such file, and as for `from_text`.
        """
        origin = f"{package}/{file_name}"
        try:
            text = files(package).joinpath(file_name).read_text(encoding="utf-8")
        except FileNotFoundError:
            raise BadQueries(
                f"{origin}: no such file; create it beside the package's modules and ship it as package data"
            ) from None
        return cls.from_text(text, origin)

    @classmethod
    def from_text(cls, text: str, name: str) -> Queries:
        """Read *text*; *name* stands for it in messages.

        Errors: `BadQueries` for what is no query, or has a name that is used twice.
        """
        queries: dict[str, Query] = {}
        for query, line in _parse(text, name):
            if query.name in queries:
                raise BadQueries(f"{name}:{line}: the name {query.name} is used twice; rename one of the two")
            queries[query.name] = query
        return cls(queries, name)

    def __getitem__(self, name: str) -> Query:
        try:
            return self._queries[name]
        except KeyError:
            raise self._unknown(name) from None

    def __getattr__(self, name: str) -> Query:
        if name.startswith("_"):  # pickle, copy and the interpreter ask for these
            raise AttributeError(name)
        try:
            return self._queries[name]
        except KeyError:
            raise self._unknown(name) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._queries)

    def __len__(self) -> int:
        return len(self._queries)

    def _unknown(self, name: str) -> UnknownQuery:
        close = get_close_matches(name, self._queries, n=1)
        hint = f"did you mean {close[0]}? " if close else ""
        names = ", ".join(sorted(self._queries)) or "none"
        return UnknownQuery(f"{self._origin}: no query is named {name}; {hint}the names are: {names}")


def _parse(text: str, origin: str) -> Iterator[tuple[Query, int]]:
    lines = text.splitlines()
    starts = [index for index, line in enumerate(lines) if _NAME_LINE.fullmatch(line.strip())]
    for index, line in enumerate(lines[: starts[0] if starts else len(lines)]):
        if line.strip() and not line.strip().startswith("--"):
            raise BadQueries(f"{origin}:{index + 1}: SQL before the first `-- name:` line; give it a name")
    for start, end in pairwise([*starts, len(lines)]):
        yield _query(lines[start:end], origin, start + 1), start + 1


def _query(block: list[str], origin: str, line: int) -> Query:
    match = _NAME_LINE.fullmatch(block[0].strip())
    name = match.group(1) if match else ""
    if not _NAME.fullmatch(name):
        raise BadQueries(
            f"{origin}:{line}: {name!r} is no query name; use lower-case letters, digits and underscores"
        )
    if hasattr(Mapping, name):
        raise BadQueries(f"{origin}:{line}: {name} is a word that every mapping has; choose another name")
    described = len(block) > 1 and block[1].strip().startswith("--")
    summary = block[1].strip().lstrip("-").strip() if described else ""
    if not summary:
        raise BadQueries(
            f"{origin}:{line}: {name} has no description; put a line like `-- What it does.` under its name"
        )
    sql = "\n".join(block[2:]).strip().removesuffix(";").rstrip()
    if not any(part.strip() and not part.strip().startswith("--") for part in sql.splitlines()):
        raise BadQueries(f"{origin}:{line}: {name} has no SQL; write its statement under the description")
    return Query(name=name, sql=sql, summary=summary)
