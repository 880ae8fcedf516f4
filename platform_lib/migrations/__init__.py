"""Database migrations by Alembic, without a file of configuration in the service.

A service holds a package with `versions/0001_….py` in it; what runs them lives here.
"""

from platform_lib.migrations._commands import current, pending, upgrade
from platform_lib.migrations._failure import MigrationFailed, SchemaBehind
from platform_lib.migrations._schema import Schema

__all__ = ["MigrationFailed", "Schema", "SchemaBehind", "current", "pending", "upgrade"]
