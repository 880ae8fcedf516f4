"""Copier, driven so that a hundred renders of one version read it once.

With `paypath.scaffold._worker` this is the only module that touches more of copier than its documented
functions: to share the template and its compiled files between renders.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from copier._main import as_operation
from copier._settings import SettingsModel
from copier._template import Template

from paypath.scaffold._worker import FreshWorker

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
        worker = _UpdatingWorker(
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
        worker.template = self._template
        worker.told = {"_commit": recipe.label, "_src_path": recipe.source}
        if self._environment is None:
            self._environment = worker.jinja_env
        worker.jinja_env = self._environment
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


class _UpdatingWorker(FreshWorker):
    """Copier's worker under the operation "update"."""

    @as_operation("update")
    def render_for_update(self) -> None:
        self.run_copy()


def _files(place: Path) -> list[str]:
    return [str(path.relative_to(place)) for path in place.rglob("*") if path.is_file() or path.is_symlink()]
