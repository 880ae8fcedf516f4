"""The commands; each loads Alembic when it is called, which a serving process never does."""

from __future__ import annotations


def upgrade(url: str, versions: str) -> list[str]:
    """Apply every pending migration of the package *versions* and return their revisions, oldest first.

    Replicas that start together take turns. Each migration is its own transaction. A database that is ahead,
    because a newer version of the service migrated it, is left alone. Blocks: call it from a thread
    (`asyncio.to_thread`) where a loop runs.
    """
    from platform_lib.migrations import _run  # noqa: PLC0415  # Alembic and SQLAlchemy take half a second to load

    return _run.upgrade(url, versions)


def current(url: str, versions: str) -> str | None:
    """Return the revision that the database is at, or None if no migration was ever applied."""
    from platform_lib.migrations import _run  # noqa: PLC0415  # Alembic and SQLAlchemy take half a second to load

    return _run.current(url, versions)


def pending(url: str, versions: str) -> list[str]:
    """Return the revisions of the package *versions* that the database lacks, oldest first."""
    from platform_lib.migrations import _run  # noqa: PLC0415  # Alembic and SQLAlchemy take half a second to load

    return _run.pending(url, versions)
