"""What goes wrong with migrations."""

from platform_lib.errors import PlatformError


class MigrationFailed(PlatformError):
    """A migration could not be applied; the message names it. What was applied before it stays applied."""


class SchemaBehind(PlatformError):
    """The database lacks migrations that this version of the service needs.

    Attributes:
        missing: their revisions, oldest first.
    """

    def __init__(self, versions: str, missing: list[str]) -> None:
        self.missing = missing
        count = f"{len(missing)} migration{'s' if len(missing) > 1 else ''}"
        super().__init__(
            f"the database lacks {count} of {versions} ({', '.join(missing)}); "
            f"run `python -m {versions.partition('.')[0]} migrate` first"
        )
