"""Commits made beside a service, and the one moment in which it gets them: when a branch is set."""

from __future__ import annotations

from dataclasses import dataclass

from paypath.scaffold.git import GitFailed, git, run_git
from paypath.scaffold.history import identity
from paypath.scaffold.upgrade.errors import UpgradeError
from paypath.scaffold.upgrade.merges import Objects
from paypath.scaffold.upgrade.services import Service

# In the message of each commit of an upgrade; `--undo` finds them by it, after a rebase too.
trailer = "Paypath-Upgrade"


@dataclass(frozen=True, slots=True)
class Step:
    """One commit of an upgrade: what was done, and the commit."""

    name: str
    commit: str


def branch_of(service: Service, version: str) -> str:
    """Return the branch on which the upgrade of *service* to *version* is made.

    It is `paypath/upgrade-VERSION`; of one service among several in a repository,
    `paypath/upgrade-PATH-VERSION`.
    """
    place = service.prefix.strip("/").replace("/", "-")
    return f"paypath/upgrade-{place}-{version}" if place else f"paypath/upgrade-{version}"


class Chain:
    """Commits of a service, one after another, that no branch names yet."""

    def __init__(self, service: Service, objects: Objects, *, start: str | None = None) -> None:
        self._service = service
        self._objects = objects
        self._author = identity(service.repository)
        self.tip = start or service.commit
        self.tree = service.tree if start is None else self._tree_of(start)
        self.steps: list[Step] = []

    def add(self, name: str, tree: str, message: str) -> bool:
        """Commit *tree* as the service's, unless it is what the last commit has; tell whether it did."""
        if tree == self.tree:
            return False
        whole = self._objects.grafted(self.tip, self._service.prefix, tree)
        self.tip = self._objects.text(
            *("-c", "commit.gpgSign=false", "commit-tree", whole, "-p", self.tip),
            given=message.encode(),
            more=self._author,
        )
        self.tree = tree
        self.steps.append(Step(name, self.tip))
        return True

    def publish(self, branch: str) -> None:
        """Give the service these commits: objects first, which nobody sees, then *branch*, which must be new.

        Raises:
            UpgradeError: there is such a branch by now.
        """
        hand_over(self._objects, self._service, self.tip, self._service.commit)
        try:
            git(
                *(
                    "update-ref",
                    "-m",
                    f"paypath upgrade: {branch}",
                    "--create-reflog",
                    f"refs/heads/{branch}",
                ),
                *(self.tip, "0" * len(self.tip)),
                folder=self._service.repository,
            )
        except GitFailed as error:
            if branch_tip(self._service, branch) is None:
                raise UpgradeError(f"{branch}: cannot be set ({error}); mend that, then run again") from error
            raise UpgradeError(
                f"{branch}: the branch is there already; merge it, or remove it with `paypath upgrade --undo`"
            ) from error

    def _tree_of(self, commit: str) -> str:
        return self._objects.text("rev-parse", f"{commit}:{self._service.prefix}")


def hand_over(objects: Objects, service: Service, wanted: str, have: str) -> None:
    """Copy the objects of *wanted* that *have* lacks from *objects* to the service's repository."""
    pack = objects.run("pack-objects", "--quiet", "--revs", "--stdout", given=f"{wanted}\n^{have}\n".encode())
    run_git("unpack-objects", "-q", folder=service.repository, given=pack)


def branch_tip(service: Service, branch: str) -> str | None:
    """Return the commit of *branch*, if there is such a branch."""
    ran = run_git(
        *("rev-parse", "--verify", "--quiet", f"refs/heads/{branch}^{{commit}}"),
        folder=service.repository,
        accept=(0, 1),
    )
    return ran.output.decode().strip() or None
