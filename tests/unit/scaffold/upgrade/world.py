"""A small template with releases, and services made from it: all that upgrades are about, in a second."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from paypath.scaffold import new
from paypath.scaffold.git import git
from paypath.scaffold.upgrade import (
    Choices,
    FileChange,
    FileClass,
    Plan,
    Service,
    UpgradeRun,
)

tree = "templates/till/{{cookiecutter.service_name}}"

configuration = r"""
_templates_suffix: ""
_subdirectory: "templates/{{ kind }}/{% raw %}{{cookiecutter.service_name}}{% endraw %}"

kind:
  type: str
  ask: false
  default: till
  choices:
    "till: takes cash": till

service_name:
  type: str
  default: shop

currency:
  type: str
  default: EUR
  choices: [EUR, GBP, USD]

platform_source:
  type: str
  ask: false
  default: "{{ _src_path }}"
---
cookiecutter:
  type: json
  when: false
  default: "{{ _copier_answers | to_json }}"
"""

answers = "{{ _copier_answers | to_nice_yaml }}"
lines = "".join(f"line {number} of {{{{ cookiecutter.service_name }}}}\n" for number in range(1, 21))
settings = "".join(f"setting_{number} = {number}\n" for number in range(1, 21))

first: Mapping[str, str] = {
    ".copier-answers.yml": answers,
    ".gitignore": ".env\n*.log\n",
    "README.md": lines,
    "settings.py": settings,
    "app.py": "".join(f"def step_{number}():\n    return {number}\n\n\n" for number in range(1, 9)),
    "currency.txt": "{{ cookiecutter.currency }}\n",
    "docs/guide.md": "# Guide\n\nHow to use it.\n",
}


@dataclass
class World:
    """A template repository, and services made from it."""

    root: Path
    run: UpgradeRun
    template: Path = field(init=False)

    def __post_init__(self) -> None:
        self.template = self.root / "platform"
        self.template.mkdir()
        git("init", "--quiet", "--initial-branch=main", folder=self.template)
        self.release("v1.0.0", first, {"copier.yml": configuration})

    def release(
        self,
        version: str | None,
        files: Mapping[str, str | None] | None = None,
        beside: Mapping[str, str | None] | None = None,
    ) -> str:
        """Commit changes of the rendered *files* and of files *beside* them, and tag the version."""
        write(self.template, {f"{tree}/{path}": text for path, text in (files or {}).items()})
        write(self.template, beside or {})
        commit(self.template, f"Release {version}", "--force")
        if version:
            git("tag", version, folder=self.template)
        return git("rev-parse", "HEAD", folder=self.template).strip()

    def rename(self, path: str, renamed: str) -> None:
        """Rename a rendered file; the next release has it so."""
        target = self.template / tree / renamed
        target.parent.mkdir(parents=True, exist_ok=True)
        (self.template / tree / path).rename(target)

    def service(self, name: str = "shop", ref: str = "v1.0.0", **given: str) -> Path:
        """Generate a service from the release *ref*, committed."""
        return new(
            self.root / "services" / name,
            source=str(self.template),
            ref=ref,
            answers={"service_name": name, **given},
        ).folder

    def plan_of(self, service: Service, choices: Choices | None = None) -> Plan:
        return self.run.plan(service, choices)

    def plan(self, service: Path, choices: Choices | None = None) -> Plan:
        return self.run.plan(service, choices)


def write(root: Path, files: Mapping[str, str | None]) -> None:
    """Write *files* below *root*; None removes one."""
    for path, text in files.items():
        file = root / path
        if text is None:
            file.unlink()
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")


def commit(folder: Path, message: str, *options: str) -> str:
    git("add", "--all", *options, folder=folder)
    git("-c", "user.name=T", "-c", "user.email=t@localhost", "commit", "-qm", message, folder=folder)
    return git("rev-parse", "HEAD", folder=folder).strip()


def edit(service: Path, files: Mapping[str, str | None]) -> str:
    """Change *files* of the service as its team would, and commit."""
    write(service, files)
    return commit(service, "Ours")


def changed(text: str, old: str, new: str) -> str:
    """Return *text* with *old*, which it must hold, replaced."""
    assert old in text
    return text.replace(old, new, 1)


def file(plan: Plan, path: str) -> FileChange:
    """Return what the plan says about the file at *path*."""
    [found] = [change for change in plan.files if change.path == path]
    return found


def content(plan: Plan, path: str) -> str:
    """Return the file at *path* of the merged tree."""
    assert plan.objects is not None
    return plan.objects.content(plan.objects.files(plan.tree)[path]).decode()


def paths(plan: Plan) -> set[str]:
    """Return the paths of the merged tree."""
    assert plan.objects is not None
    return set(plan.objects.files(plan.tree))


def classes(plan: Plan) -> dict[str, FileClass]:
    """Return the class of every file that is not unchanged."""
    return {
        change.path: change.file_class
        for change in plan.files
        if change.file_class is not FileClass.UNCHANGED
    }
