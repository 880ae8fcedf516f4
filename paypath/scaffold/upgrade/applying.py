"""The upgrade itself: one commit a step beside the work tree, the branch last, then the service's tests."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from paypath.scaffold.upgrade.checkouts import check_out
from paypath.scaffold.upgrade.classes import FileClass
from paypath.scaffold.upgrade.codemods import changed_text, concerned, describe
from paypath.scaffold.upgrade.commits import Chain, Step, branch_of, branch_tip, trailer
from paypath.scaffold.upgrade.errors import UpgradeError
from paypath.scaffold.upgrade.merges import Entry, Objects
from paypath.scaffold.upgrade.plans import Plan, PlanState
from paypath.scaffold.upgrade.suites import (
    SuiteRun,
    own_environment,
    run_tests,
    suite_command,
    unmoved_environment,
)
from platform_lib.clock import Clock, SystemClock

_told_lines = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """How an upgrade is to be made.

    Attributes:
        test: run the service's tests before and after.
        test_command: how, as a shell command; by default ``make test``.
        lock: choose the versions of all dependencies anew, with ``make lock``; needs the network.
        branch: the branch to make; by default `paypath/upgrade-VERSION`.
        said: gets a line of progress now and then.
        clock: tells how long tests took.
    """

    test: bool = True
    test_command: str | None = None
    lock: bool = False
    branch: str | None = None
    said: Callable[[str], None] = lambda _: None
    clock: Clock = field(default_factory=SystemClock)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgraded:
    """An upgrade that was made.

    Attributes:
        plan: what it followed.
        branch: the branch that has it; the work tree is as it was.
        steps: its commits, oldest first.
        tests: the runs of the service's tests.
        notes: what the user should know.
    """

    plan: Plan
    branch: str
    steps: tuple[Step, ...]
    tests: tuple[SuiteRun, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def broke_tests(self) -> bool:
        """Whether tests failed that had passed before; what was red before does not count."""
        return [run.passed for run in self.tests] == [True, False]


def apply_plan(plan: Plan, room: Path, wishes: Wishes) -> Upgraded:
    """Make the upgrade that *plan* describes, on a branch; *room* is for files that nobody needs afterwards.

    Until the branch is there nothing of the service has changed, whatever ends this process; its work tree,
    index and HEAD are never touched.

    Raises:
        UpgradeError: there is nothing to upgrade, something is still to be decided, or the branch is there
        already.
    """
    service, objects = plan.service, plan.objects
    if plan.state is PlanState.CURRENT or objects is None:
        raise UpgradeError(f"{service.name}: is at {plan.old}; nothing is newer")
    if plan.open:
        names = ", ".join(change.path for change in plan.open)
        raise UpgradeError(f"{service.name}: somebody must decide about {names}; nothing was changed")
    branch = wishes.branch or branch_of(service, plan.new)
    if branch_tip(service, branch):
        raise UpgradeError(
            f"{branch}: the branch is there already; merge it, or remove it with `paypath upgrade --undo`"
        )
    chain = Chain(service, objects)
    notes: list[str] = []
    span = f"{plan.old}..{plan.new}"
    chain.add(
        "merge", plan.tree, message_of(f"Upgrade the template from {plan.old} to {plan.new}", plan, span)
    )
    _run_codemods(plan, chain, objects, span)
    _lock_and_format(plan, chain, objects, room, wishes, notes)
    if not chain.steps:
        raise UpgradeError(f"{service.name}: has everything of {plan.new} already")
    chain.publish(branch)
    tests, told = test_commit(plan, chain.tip, room, wishes) if wishes.test else ((), ())
    return Upgraded(plan=plan, branch=branch, steps=tuple(chain.steps), tests=tests, notes=(*notes, *told))


def message_of(subject: str, plan: Plan, span: str, body: str = "") -> str:
    """Return the message of one commit of an upgrade."""
    return "\n\n".join(filter(None, [subject, body, f"{trailer}: {plan.service.name} {span}"])) + "\n"


def _run_codemods(plan: Plan, chain: Chain, objects: Objects, span: str) -> None:
    for migration in plan.migrations:
        if not migration.changes_code:
            continue
        files = objects.files(chain.tree)
        changed: dict[str, Entry | None] = {}
        package = _package(plan, files)
        for path, text in _texts(objects, files).items():
            if concerned(text, migration, package):
                new = changed_text(path, text, migration, package)
                if new != text:
                    changed[path] = Entry(files[path].mode, objects.store(new.encode()))
        subject = migration.why.rstrip(".") or f"Follow the template: {migration.id}"
        body = "\n".join(f"- {line}" for line in describe(migration))
        chain.add(
            migration.id, objects.with_files(chain.tree, changed), message_of(subject, plan, span, body)
        )


def _package(plan: Plan, files: Mapping[str, Entry]) -> str | None:
    named = plan.service.answers().given.get("package")
    if named:
        return str(named)
    packages = {path.split("/")[1] for path in files if path.startswith("src/") and path.count("/") > 1}
    return packages.pop() if len(packages) == 1 else None


def _texts(objects: Objects, files: Mapping[str, Entry]) -> dict[str, str]:
    """Return the files that are text, read in one go."""
    listed = [(path, entry) for path, entry in files.items() if entry.mode.startswith("100")]
    output = objects.run(
        "cat-file", "--batch", given="".join(f"{entry.blob}\n" for _, entry in listed).encode()
    )
    found = {}
    position = 0
    for path, _ in listed:
        end = output.index(b"\n", position)
        size = int(output[position:end].rsplit(b" ", 1)[1])
        content = output[end + 1 : end + 1 + size]
        position = end + size + 2
        try:
            found[path] = content.decode()
        except UnicodeDecodeError:
            continue
    return found


def _lock_and_format(
    plan: Plan, chain: Chain, objects: Objects, room: Path, wishes: Wishes, notes: list[str]
) -> None:
    """Bring files that a codemod changed into the service's form, and choose dependencies anew if wished."""
    by_codemods = sorted(
        {
            change.path
            for change in objects.differences((plan.tree, chain.tree))[0]
            if change.new is not None and change.path.endswith(".py")
        }
    )
    ruff = plan.service.folder / ".venv/bin/ruff"
    can_format = plan.service.top is not None and ruff.exists()
    if by_codemods and not can_format:
        notes.append(
            "codemods changed files, and the service has no .venv with ruff; run `make format` on the branch"
        )
    if not wishes.lock and _both_changed_dependencies(plan):
        notes.append("both sides changed dependencies; run `make lock` on the branch, or upgrade with --lock")
    commands: list[Sequence[str]] = []
    if wishes.lock:
        own = own_environment(plan.service)  # its uv, where the machine has none
        commands.append(("make", "lock", *(f"{name}={value}" for name, value in own)))
    if by_codemods and can_format:
        commands.append(
            (str(ruff), "check", "--quiet", "--fix", "--exit-zero", "--select", "I", *by_codemods)
        )
        commands.append((str(ruff), "format", "--quiet", *by_codemods))
    if not commands:
        return
    folder = check_out(plan.service, objects, chain.tip, room)
    for command in commands:
        wishes.said(" ".join(command[:2]))
        done = subprocess.run(  # noqa: S603  # the service's own tools
            command,
            cwd=folder,
            env=unmoved_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise UpgradeError(
                f"{' '.join(command[:2])}: {_complaint(done)}; nothing was changed (mend it, or leave out "
                "--lock)"
            )
    changed: dict[str, Entry | None] = {}
    for path, entry in objects.files(chain.tree).items():
        file = folder / path
        if (path in by_codemods or path.endswith(".lock")) and file.is_file():
            changed[path] = Entry(entry.mode, objects.store(file.read_bytes()))
    subject = "Lock and format after the upgrade"
    chain.add(
        "lock and format",
        objects.with_files(chain.tree, changed),
        message_of(subject, plan, f"{plan.old}..{plan.new}"),
    )


def _complaint(done: subprocess.CompletedProcess[str]) -> str:
    """Return the last lines that say something; make's own last word is only where it stopped."""
    lines = [line for line in (done.stderr or done.stdout).splitlines() if not line.startswith("make")]
    return " ".join(" ".join(lines[-_told_lines:]).split()) or f"ended with {done.returncode}"


def _both_changed_dependencies(plan: Plan) -> bool:
    return any(
        change.path == "pyproject.toml" and change.file_class is FileClass.MERGED for change in plan.files
    )


def test_commit(
    plan: Plan, commit: str, room: Path, wishes: Wishes
) -> tuple[tuple[SuiteRun, ...], tuple[str, ...]]:
    """Run the service's tests as it is and at *commit*; return the runs, and what the user should know."""
    if plan.objects is None:
        return (), ()
    before = check_out(plan.service, plan.objects, plan.service.commit, room)
    after = check_out(plan.service, plan.objects, commit, room)
    command = suite_command(plan.service, wishes.test_command, (before, after))
    if command is None:
        return (), ("no tests were run: the Makefile has no `test`; say how with --test-command",)
    runs = []
    for when, folder in (("before", before), ("after", after)):
        wishes.said(f"tests {when} the upgrade: {command}")
        runs.append(run_tests(when, folder, command, wishes.clock, wishes.said))
    return tuple(runs), ()
