"""The service that a piece is added to, as far as a piece has to know it."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from paypath.scaffold.errors import BadInput
from paypath.scaffold.git import GitFailed, git, work_tree_of
from paypath.scaffold.render import answers_file

ledger_folder = ".paypath/pieces"


@dataclass(frozen=True, slots=True)
class Service:
    """A generated service in *folder*, with the *answers* that it was generated from."""

    folder: Path
    answers: Mapping[str, str]

    @property
    def kind(self) -> str:
        """Return which kind of service it is."""
        return self.answers["kind"]

    @property
    def package(self) -> Path:
        """Return the folder of its package."""
        return self.folder / "src" / self.answers["package"]

    def read(self, path: str) -> str | None:
        """Return the text of the file at *path* of the service, if there is one.

        Raises:
            BadInput: it is no text.
        """
        file = self.folder / path
        try:
            return file.read_bytes().decode() if file.is_file() else None
        except UnicodeDecodeError as error:
            raise BadInput(f"{path}: is no UTF-8 text; mend it first") from error

    def dirty(self) -> set[str]:
        """Return the paths that git would list as changed or not known; none where there is no git."""
        if work_tree_of(self.folder) is None:
            return set()
        listed = git(
            *("status", "--porcelain", "-z", "--untracked-files=all", "--no-renames", "--", "."),
            folder=self.folder,
        )
        prefix = git("rev-parse", "--show-prefix", folder=self.folder).strip()
        return {entry[3:].removeprefix(prefix) for entry in listed.split("\0") if entry}

    def committed(self, path: str) -> str | None:
        """Return the text of the file at *path* as last committed, if it was."""
        try:
            return git("show", f"HEAD:./{path}", folder=self.folder)
        except GitFailed:
            return None

    def settings_class(self) -> str:
        """Return the name of the class of its settings.

        Raises:
            BadInput: there is none.
        """
        path = f"src/{self.answers['package']}/settings.py"
        for node in _parse(path, self.read(path) or "").body:
            if isinstance(node, ast.ClassDef) and any(
                isinstance(base, ast.Name) and base.id == "ServiceSettings" for base in node.bases
            ):
                return node.name
        raise BadInput(f"{path}: no class of it is a ServiceSettings, where settings are added; restore it")

    def revisions(self) -> dict[str, str | None]:
        """Return the migrations, each with the one before it."""
        found: dict[str, str | None] = {}
        for file in sorted((self.package / "migrations" / "versions").glob("*.py")):
            values: dict[str, str | None] = {}
            for node in _parse(str(file.relative_to(self.folder)), file.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
                    values |= {
                        target.id: str(node.value.value) if node.value.value is not None else None
                        for target in node.targets
                        if isinstance(target, ast.Name)
                    }
            if revision := values.get("revision"):
                found[revision] = values.get("down_revision")
        return found

    def has_table(self, name: str) -> bool:
        """Tell whether a migration creates a table of that name."""
        pattern = re.compile(rf"\bCREATE TABLE\s+(?:IF NOT EXISTS\s+)?{re.escape(name)}\b", re.IGNORECASE)
        versions = (self.package / "migrations" / "versions").glob("*.py")
        return any(pattern.search(file.read_text(encoding="utf-8")) for file in versions)


def service_in(folder: Path) -> Service:
    """Return the service in *folder*.

    Raises:
        BadInput: there is none, or its answers do not say what it is.
    """
    folder = folder.resolve()
    file = folder / answers_file
    if not file.is_file():
        raise BadInput(
            f"{folder}: holds no {answers_file}, so it is no generated service; name one with --service"
        )
    try:
        answers = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise BadInput(f"{file}: no readable YAML ({error}); restore it") from error
    if not isinstance(answers, dict):
        raise BadInput(f"{file}: holds no answers; restore it")
    for name in ("kind", "package", "service_name"):
        if not isinstance(answers.get(name), str):
            raise BadInput(f"{file}: does not say {name}; restore the answer")
    return Service(folder, {str(name): str(value) for name, value in answers.items()})


def _parse(path: str, text: str) -> ast.Module:
    try:
        return ast.parse(text)
    except SyntaxError as error:
        raise BadInput(f"{path}:{error.lineno}: {error.msg}; mend that first") from error
