"""An upgrade that stands on its branch already, made by an earlier run or by one that was killed after it."""

from __future__ import annotations

from dataclasses import dataclass

from paypath.scaffold.git import git, run_git
from paypath.scaffold.upgrade.commits import Step, branch_of, branch_tip, trailer
from paypath.scaffold.upgrade.plans import Plan


@dataclass(frozen=True, slots=True)
class Standing:
    """An upgrade that was made before.

    Attributes:
        branch: the branch that has it.
        tip: its newest commit.
        steps: the commits of the upgrade, oldest first; others of the team's may follow them.
    """

    branch: str
    tip: str
    steps: tuple[Step, ...]


def standing_upgrade(plan: Plan) -> Standing | None:
    """Return the upgrade from *plan*'s old to its new version that has a branch already, if there is one.

    A branch is set when all commits of an upgrade are there, so one that stands is whole. It counts only if
    a commit on it says that it is of this upgrade; any other branch of that name is somebody else's.
    """
    service = plan.service
    branch = branch_of(service, plan.new)
    tip = branch_tip(service, branch)
    if tip is None or plan.old == plan.new:
        return None
    base = run_git(
        "merge-base", service.commit, tip, folder=service.repository, accept=(0, 1)
    ).output.decode()
    if not base:
        return None
    form = f"%H%x00%(trailers:key={trailer},valueonly,separator=%x2C)%x00%s"
    listed = git(
        "log", "--reverse", f"--format={form}", f"{base.strip()}..{tip}", folder=service.repository
    ).splitlines()
    wanted = f"{service.name} {plan.old}..{plan.new}"
    commits = [line.split("\0") for line in listed]
    steps = tuple(Step(subject, commit) for commit, said, subject in commits if said == wanted)
    return Standing(branch, tip, steps) if steps else None
