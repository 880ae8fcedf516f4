"""Whether a database has the migrations that the service needs; found out without loading Alembic."""

from __future__ import annotations

import ast
import logging
from dataclasses import dataclass
from importlib.resources import files
from types import TracebackType
from typing import Self

import asyncpg

from platform_lib.clients import Postgres, Query
from platform_lib.migrations._failure import MigrationFailed, SchemaBehind

_log = logging.getLogger(__name__)
_read = Query(
    "read_revisions", "SELECT version_num FROM alembic_version", "At which revisions the database is."
)


class Schema:
    """A resource that opens only on a database which has every migration of *versions*.

    Register it right after *database*: a service that was started before its migrations then says so and
    ends, instead of answering 500. A database that is ahead, because a newer version migrated it, is fine.

    Raises `SchemaBehind` on opening.
    """

    def __init__(self, database: Postgres, versions: str) -> None:
        self._database = database
        self._versions = versions

    async def __aenter__(self) -> Self:
        """Compare the database with the migrations."""
        steps = _steps(self._versions)
        heads = await self._heads()
        if not heads <= steps.keys():
            _log.warning(
                "schema: the database is at %s, which a newer version made", ", ".join(sorted(heads))
            )
            return self
        missing = sorted(
            steps.keys() - _with_ancestors(heads, steps), key=lambda name: steps[name].depth(steps)
        )
        if missing:
            raise SchemaBehind(self._versions, missing)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Do nothing: nothing was opened."""

    async def _heads(self) -> set[str]:
        async with self._database.connection() as connection:
            try:
                return {row["version_num"] for row in await connection.fetch_all(_read)}
            except asyncpg.UndefinedTableError:
                return set()  # never migrated


@dataclass(frozen=True)
class _Step:
    revision: str
    parents: tuple[str, ...]

    def depth(self, steps: dict[str, _Step]) -> int:
        """Return how many steps come before this one on its longest way."""
        return max((steps[parent].depth(steps) + 1 for parent in self.parents), default=0)


def _with_ancestors(heads: set[str], steps: dict[str, _Step]) -> set[str]:
    known: set[str] = set()
    todo = list(heads)
    while todo:
        revision = todo.pop()
        if revision not in known:
            known.add(revision)
            todo.extend(steps[revision].parents)
    return known


def _steps(versions: str) -> dict[str, _Step]:
    folder = files(versions).joinpath("versions")
    if not folder.is_dir():
        raise MigrationFailed(f"migrations: {versions} has no folder `versions`; put the migrations into it")
    sources = [entry for entry in folder.iterdir() if entry.name.endswith(".py") and entry.name[0] != "_"]
    steps = [_step(source.read_text(encoding="utf-8")) for source in sources]
    return {step.revision: step for step in steps}


def _step(source: str) -> _Step:
    """Read `revision` and `down_revision`, which Alembic keeps as plain literals."""
    values = {
        target.id: ast.literal_eval(node.value)
        for node in ast.parse(source).body
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name) and target.id in {"revision", "down_revision"}
    }
    down = values["down_revision"]
    parents = () if down is None else (down,) if isinstance(down, str) else tuple(down)
    return _Step(values["revision"], parents)
