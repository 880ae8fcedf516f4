"""The tables of outbox, inbox and dead letters, as versioned files that a service's migrations run."""

from __future__ import annotations

from importlib.resources import files


def outbox_ddl(version: int = 1) -> str:
    """Return the SQL that creates version *version* of the table ``platform_outbox``.

    Errors: `FileNotFoundError` for a version that the library does not ship.
    """
    return _read(f"outbox.v{version}.sql")


def inbox_ddl(version: int = 1) -> str:
    """Return the SQL that creates version *version* of the table ``platform_inbox``.

    Errors: `FileNotFoundError` for a version that the library does not ship.
    """
    return _read(f"inbox.v{version}.sql")


def dead_letters_ddl(version: int = 1) -> str:
    """Return the SQL that creates version *version* of the table ``platform_dead_letter``.

    Errors: `FileNotFoundError` for a version that the library does not ship.
    """
    return _read(f"dead_letters.v{version}.sql")


def _read(name: str) -> str:
    return files("platform_lib.events").joinpath("sql", name).read_text(encoding="utf-8")
