"""One run over any number of services: templates are read once, renders are kept, rooms are cleared."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from paypath.scaffold.upgrade.applying import Upgraded, Wishes, apply_plan, test_commit
from paypath.scaffold.upgrade.cachefolder import cache_folder, workroom
from paypath.scaffold.upgrade.errors import UpgradeError
from paypath.scaffold.upgrade.merges import require_git
from paypath.scaffold.upgrade.opening import Templates, Wanted
from paypath.scaffold.upgrade.plans import Choices, Plan, make_plan, resolved
from paypath.scaffold.upgrade.renders import Renders
from paypath.scaffold.upgrade.resolving import (
    Resolution,
    begin_resolution,
    end_resolution,
    resolution_of,
    resolved_tree,
)
from paypath.scaffold.upgrade.services import Service, find_service
from paypath.scaffold.upgrade.standing import Standing, standing_upgrade
from paypath.scaffold.upgrade.suites import SuiteRun
from paypath.scaffold.upgrade.undoing import Undone, undo_upgrade
from paypath.scaffold.upgrade.versions import TemplateSource


@dataclass(frozen=True, slots=True)
class UpgradeRun:
    """What the upgrades of one run share; make it with `upgrade_run`.

    Attributes:
        templates: the templates that were opened so far.
        renders: the store of renders.
        room: a folder that is gone when the run ends.
    """

    templates: Templates
    renders: Renders
    room: Path

    def plan(self, service: Service | Path, choices: Choices | None = None) -> Plan:
        """Return what an upgrade of *service* would do; see `make_plan` for errors."""
        found = service if isinstance(service, Service) else find_service(service)
        choices = choices or Choices()
        scratch = Path(mkdtemp(prefix="objects-", dir=self.room))
        return make_plan(found, self.source_of(found, choices), self.renders, scratch, choices)

    def apply(self, plan: Plan, wishes: Wishes | None = None) -> Upgraded:
        """Make the upgrade that *plan* describes, on a branch; see `apply_plan` for errors."""
        return apply_plan(plan, self.room, wishes or Wishes())

    def standing(self, plan: Plan) -> Standing | None:
        """Return the upgrade of *plan*'s service that stands on a branch already; see `standing_upgrade`."""
        return standing_upgrade(plan)

    def test(
        self, plan: Plan, commit: str, wishes: Wishes | None = None
    ) -> tuple[tuple[SuiteRun, ...], tuple[str, ...]]:
        """Run the service's tests at its own commit and at *commit*; return the runs, and notes."""
        return test_commit(plan, commit, self.room, wishes or Wishes())

    def resolve(self, plan: Plan, choices: Choices) -> Resolution:
        """Lay the conflicts of *plan*, made with *choices*, out to be resolved; see `begin_resolution`."""
        return begin_resolution(plan, choices)

    def continue_resolution(self, service: Service, wishes: Wishes | None = None) -> Upgraded:
        """Make the upgrade that somebody has resolved.

        Raises:
            UpgradeError: none is under way, or conflicts are left.
        """
        resolution = resolution_of(service)
        if resolution is None:
            raise UpgradeError(f"{service.name}: no resolution is under way; begin one with --resolve")
        begun = find_service(service.folder, commit=resolution.service_commit)
        tree = resolved_tree(begun, resolution)
        upgraded = self.apply(resolved(self.plan(begun, resolution.choices), tree), wishes)
        end_resolution(begun)
        return upgraded

    def undo(self, service: Service) -> Undone:
        """Undo the newest upgrade of *service*; see `undo_upgrade`."""
        return undo_upgrade(service, Path(mkdtemp(prefix="objects-", dir=self.room)))

    def source_of(self, service: Service, choices: Choices | None = None) -> TemplateSource:
        """Return the template source that *service* names, or *choices* do."""
        choices = choices or Choices()
        answers = service.answers()
        wanted = Wanted([answers.version, *([choices.to] if choices.to else [])], choices.online)
        if choices.source is not None:
            return self.templates.open(choices.source, wanted=wanted)
        beside = service.folder if service.top is not None else service.repository
        return self.templates.open(answers.source, beside=beside, wanted=wanted)


@contextmanager
def upgrade_run(cache: Path | None = None, *, mirrors: Path | None = None) -> Iterator[UpgradeRun]:
    """Begin a run; what a killed run left in *cache*, by default the user's cache folder, is removed.

    With a folder *mirrors*, each template is copied there once and read from there ever after, by all
    processes that name the same folder: what its owner releases meanwhile does not count.

    Raises:
        UpgradeError: this git is older than 2.38.
    """
    require_git()
    cache = cache or cache_folder()
    with workroom(cache) as room:
        yield UpgradeRun(Templates(cache, room, mirrors), Renders(cache / "renders"), room)
