"""Codemods: a service's own files, changed as a migration declares; Python on its syntax tree, comments kept.

Only what is meant is touched: a name counts if it leads to the import that the migration names, not because
it is spelled alike.
"""

from __future__ import annotations

from paypath.scaffold.upgrade.migrations import Migration
from paypath.scaffold.upgrade.settings import setting_patterns, with_settings


def changed_text(path: str, text: str, migration: Migration, package: str | None) -> str:
    """Return the file *text* at *path* as *migration* wants it, the same where it has nothing to say.

    *package* is the service's Python package, whose name in capitals begins its environment variables. A
    Python file that cannot be parsed is returned as it is.
    """
    if path.endswith(".py"):
        text = _python(text, migration)
    return with_settings(path, text, migration.settings, package) if migration.settings else text


def concerned(text: str, migration: Migration, package: str | None) -> bool:
    """Tell whether *migration* may have something to say about a file: quick, and never wrongly no."""
    words = [name.rpartition(".")[2] for name in (*migration.imports, *migration.arguments)]
    return any(word in text for word in words) or any(
        pattern.search(text) for pattern in setting_patterns(migration.settings, package)
    )


def _python(text: str, migration: Migration) -> str:
    import libcst  # noqa: PLC0415  # a third of a second, which only codemods pay

    from paypath.scaffold.upgrade.syntax import with_arguments, with_attributes, with_imports  # noqa: PLC0415

    try:
        module = libcst.parse_module(text)
    except libcst.ParserSyntaxError:
        return text
    for called, names in migration.arguments.items():
        # The call may be spelled the old or the new way; arguments go first, while imports still say the old.
        for old in (called, *(before for before, after in migration.imports.items() if after == called)):
            module = with_arguments(module, old, names)
    for old, new in migration.imports.items():
        module = with_imports(module, old, new)
    for old, new in migration.settings.items():
        module = with_attributes(module, old, new)
    return module.code


def describe(migration: Migration) -> list[str]:
    """Return what *migration* changes in code, one line each."""
    told = [f"{old} is {new}" for old, new in migration.imports.items()]
    told += [
        f"{called}({old}=…) is {new}=…"
        for called, names in migration.arguments.items()
        for old, new in names.items()
    ]
    return told + [f"the setting {old} is {new}" for old, new in migration.settings.items()]
