"""Database migrations by Alembic, without a file of configuration in the service.

A service holds a package with `versions/0001_….py` in it; what runs them lives here.
"""

from platform_lib.migrations._run import MigrationFailed, current, pending, upgrade

__all__ = ["MigrationFailed", "current", "pending", "upgrade"]
