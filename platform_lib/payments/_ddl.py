"""The table of idempotency keys, as a versioned file that a service's migrations run."""

from __future__ import annotations

from importlib.resources import files


def idempotency_ddl(version: int = 1) -> str:
    """Return the SQL that creates version *version* of the table ``platform_idempotency_keys``.

    Errors: `FileNotFoundError` for a version that the library does not ship.
    """
    return (
        files("platform_lib.payments")
        .joinpath("sql", f"idempotency.v{version}.sql")
        .read_text(encoding="utf-8")
    )
