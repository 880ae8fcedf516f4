"""Load settings: read the layers, build the settings, and say everything that is wrong at once."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from platform_lib.config._build import build
from platform_lib.config._origins import Origin, Trail
from platform_lib.config._report import Mistake, render
from platform_lib.config._settings import Settings
from platform_lib.config._sources import Sources
from platform_lib.config._stack import Stack
from platform_lib.errors import ConfigError

S = TypeVar("S", bound=Settings)

exit_code = os.EX_CONFIG  # 78, sysexits.h: something in the configuration is wrong


@dataclass(frozen=True, slots=True)
class Examined(Generic[S]):
    """What the sources make of a settings class.

    Attributes:
        settings: None if anything is wrong.
        mistakes: everything that is wrong, secrets masked.
        stack: what each source holds, secrets included.
    """

    settings_type: type[S]
    settings: S | None
    mistakes: tuple[Mistake, ...]
    stack: Stack

    @property
    def report(self) -> str:
        """Return the report on everything that is wrong; empty if nothing is."""
        return render(self.settings_type.__name__, self.mistakes) if self.mistakes else ""


def load(
    settings_type: type[S],
    *,
    environ: Mapping[str, str] | None = None,
    directory: Path | None = None,
    arguments: Sequence[str] = (),
    overrides: Mapping[str, Any] | None = None,
) -> S:
    """Return the settings of this process.

    Layers, the later over the earlier: defaults; the TOML file that ``<PREFIX>_CONFIG_FILE`` names, or
    ``config.toml`` in *directory* (the working directory) if there is one; ``.env`` there, in development
    only; the directory that ``<PREFIX>_SECRETS_DIR`` names, one file for a variable; *environ* (the process's
    own); *arguments*, the options of the command line, such as ``--http.port 8080``; and, for tests and
    tools, *overrides*, nested or with dotted keys.
    Errors: `ConfigError` with everything that is wrong, secrets masked.
    """
    settings, report = _attempt(settings_type, environ, directory, arguments, overrides)
    # A traceback with local variables must find nothing here: what was read stays in frames that have ended.
    del environ, overrides, arguments
    if settings is None:
        raise ConfigError(report)
    return settings


def load_or_exit(
    settings_type: type[S],
    *,
    environ: Mapping[str, str] | None = None,
    directory: Path | None = None,
    arguments: Sequence[str] = (),
    overrides: Mapping[str, Any] | None = None,
) -> S:
    """Return the settings as `load` does; on mistakes print the report to stderr and exit 78.

    Raises:
        SystemExit: with code 78 (EX_CONFIG of sysexits.h), on mistakes.
    """
    try:
        return load(
            settings_type, environ=environ, directory=directory, arguments=arguments, overrides=overrides
        )
    except ConfigError as error:
        print(error, file=sys.stderr)  # noqa: T201  # logging is configured from the settings that are missing
    raise SystemExit(exit_code)


def origins(settings: Settings) -> Mapping[str, Origin]:
    """Return where each value came from, by dotted field; empty if *settings* were not made by `load`."""
    return settings._trail.origins  # noqa: SLF001  # the class keeps it for this function


def sources(
    environ: Mapping[str, str] | None = None,
    directory: Path | None = None,
    arguments: Sequence[str] = (),
    overrides: Mapping[str, Any] | None = None,
) -> Sources:
    """Return the sources that `load` would read, given the same."""
    return Sources(
        environ=os.environ if environ is None else environ,
        directory=Path.cwd() if directory is None else directory,
        overrides=overrides or {},
        arguments=tuple(arguments),
    )


def examine(settings_type: type[S], sources: Sources) -> Examined[S]:
    """Read *sources*, and return the settings or what is wrong with them."""
    if not settings_type.variable_prefix:
        raise TypeError(
            f"{settings_type.__name__}: has no prefix for its variables; "
            f'write class {settings_type.__name__}(Settings, prefix="NAME")'
        )
    stack = sources.read(settings_type)
    settings, mistakes = build(settings_type, stack)
    if settings is not None:
        settings._trail = Trail(settings._trail.origins, sources)  # noqa: SLF001  # kept for a reload
    scrubbed = tuple(mistake.scrubbed(stack.scrub) for mistake in mistakes)
    return Examined(settings_type, settings, scrubbed, stack)


def _attempt(
    settings_type: type[S],
    environ: Mapping[str, str] | None,
    directory: Path | None,
    arguments: Sequence[str],
    overrides: Mapping[str, Any] | None,
) -> tuple[S | None, str]:
    examined = examine(settings_type, sources(environ, directory, arguments, overrides))
    return examined.settings, examined.report
