"""Copier's worker, for folders that are rendered anew, from files that were laid out for it.

Imported where something is rendered, and nowhere before: copier takes half a second. With
`paypath.scaffold.upgrade.renderer`, which shares a template between renders, this is the only module that
touches more of copier than its documented functions: to name the version that it is told to name, and to
leave out what costs time and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from copier._jinja_ext import get_yield_context
from copier._main import Worker
from copier._types import Phase


class FreshWorker(Worker):
    """Renders the same bytes as copier, where git tracks nothing yet. `told` may be set before it runs."""

    @cached_property
    def told(self) -> Mapping[str, str]:
        """What the answers file says of the template instead of what copier reads from its folder."""
        return {}

    @cached_property
    def jinja_env(self) -> Any:
        """Copier's Jinja environment, which compiles nothing twice."""
        return _remembering(super().jinja_env)

    @cached_property
    def answers_relpath(self) -> Path:
        """The answers file's path: worked out once for a render instead of thrice for a file."""
        return super().answers_relpath

    def _sync_git_index_executable_bit(self, dst_relpath: Path, src_mode: int) -> None:
        """Do nothing.

        After each file copier asks git whether the index must be told of its executable bit: more than a
        process a file. Before the first commit no index has an entry for it, and copier would do nothing.
        """

    def _render_context(self) -> Any:
        """Return copier's context; while files are rendered it stays the same, so it is made once."""
        # Copier works out the answers file's path with a context that it changes, so that one is never
        # shared.
        if Phase.current() is not Phase.RENDER or "answers_relpath" not in self.__dict__:
            return super()._render_context()
        return dict(self._settled_context)

    @cached_property
    def _settled_context(self) -> Any:
        return super()._render_context()

    def _answers_to_remember(self) -> Mapping[str, Any]:
        return {**self.told, **super()._answers_to_remember(), **self.told}


def _remembering(environment: Any) -> Any:
    """Make *environment* compile a name or a default once; doing so anew is most of what a render costs."""
    compiled: dict[str, Any] = {}
    compile_anew = environment.from_string

    def from_string(source: str) -> Any:
        if source not in compiled:
            compiled[source] = compile_anew(source)
        # Compiling forgets the last `yield` tag, so this must too.
        context = get_yield_context(environment)
        context.yield_name = context.yield_iterable = None
        return compiled[source]

    environment.from_string = from_string
    return environment
