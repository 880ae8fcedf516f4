"""Copier, driven so that a hundred renders of one version read it once.

With `paypath.scaffold._worker`, whose worker leaves git alone, this is the only module that touches more of
copier than its documented functions: to share the template between renders, and to name the version that it
is told to name.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from copier._jinja_ext import get_yield_context
from copier._main import as_operation
from copier._settings import SettingsModel
from copier._template import Template
from copier._types import Phase

from paypath.scaffold._worker import UntrackedWorker

if TYPE_CHECKING:
    from paypath.scaffold.upgrade.renders import Recipe


class Renderer:
    """Renders one template version, laid out in *folder*, any number of times."""

    def __init__(self, folder: Path) -> None:
        self._template = Template(url=str(folder))
        self._environment: Any = None

    @property
    def excluded(self) -> tuple[str, ...]:
        """The paths that this version leaves out of its renders."""
        return tuple(self._template.exclude)

    def render(self, place: Path, recipe: Recipe) -> dict[str, Any]:
        """Render into *place*, which may hold an answers file; return what a `Render` says but its tree."""
        worker = _Worker(
            src_path=self._template.url,
            dst_path=place,
            data={
                "_src_path": recipe.source,
                **(recipe.answers if recipe.strict else {}),
            },
            # A service must not depend on who upgrades it, so nothing comes from the user's settings.
            settings=SettingsModel(),
            exclude=recipe.exclude,
            defaults=True,
            overwrite=True,
            quiet=True,
        )
        worker.__dict__["template"] = self._template
        worker.__dict__["remembered"] = {"_commit": recipe.label, "_src_path": recipe.source}
        if self._environment is None:
            self._environment = _remembering(worker.jinja_env)
        worker.__dict__["jinja_env"] = self._environment
        worker.render_for_update()
        remembered = worker._answers_to_remember()  # noqa: SLF001  # see the module's docstring
        return {
            "answers": {name: answer for name, answer in remembered.items() if not name.startswith("_")},
            "questions": {
                name: str(details.get("default", ""))
                for name, details in self._template.questions_data.items()
            },
            "types": {
                name: str(details["type"])
                for name, details in self._template.questions_data.items()
                if "type" in details
            },
            "hidden": tuple(sorted(worker.answers.hidden)),
            "seeded": tuple(
                sorted(
                    path
                    for path in (_files(place) if self._template.skip_if_exists else ())
                    if worker.match_skip(Path(path))
                )
            ),
        }


class _Worker(UntrackedWorker):
    """Copier's worker under the operation "update"; see the module's docstring for what differs."""

    @as_operation("update")
    def render_for_update(self) -> None:
        self.run_copy()

    @cached_property
    def remembered(self) -> Mapping[str, str]:
        return {}

    @cached_property
    def answers_relpath(self) -> Path:  # once for a render instead of thrice for a file
        return super().answers_relpath

    def _render_context(self) -> Any:
        """Return copier's context; while files are rendered it stays the same, so it is made once."""
        # Copier works out the answers file's path with a context that it changes, so that one is never
        # shared.
        if Phase.current() is not Phase.RENDER or "answers_relpath" not in self.__dict__:
            return super()._render_context()
        return dict(self.settled_context)

    @cached_property
    def settled_context(self) -> Any:
        return super()._render_context()

    def _answers_to_remember(self) -> Mapping[str, Any]:
        return {**self.remembered, **super()._answers_to_remember(), **self.remembered}


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


def _files(place: Path) -> list[str]:
    return [str(path.relative_to(place)) for path in place.rglob("*") if path.is_file() or path.is_symlink()]
