"""Renders as git trees, kept: the same template and the same answers are rendered once.

Copier renders, from a template that was laid out once, with two savings that change no byte: its
configuration
and its compiled files are shared by all renders of one version, and git is not asked about each file, since
nothing is rendered into a repository.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import warnings
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

import yaml

from paypath.scaffold.git import git
from paypath.scaffold.render import answers_file
from paypath.scaffold.upgrade.errors import AnswersNeeded, TrustNeeded, UpgradeError
from paypath.scaffold.upgrade.versions import TemplateVersion

if TYPE_CHECKING:
    from paypath.scaffold.upgrade.renderer import Renderer

# Part of every key: what is kept was made by these rules.
_format = "2"
_invalid_answer = re.compile(
    r"^(?:Validation error for question|Invalid choice for|Question) ['\"](?P<name>\w+)['\"]:? (?P<why>.*)$"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Render:
    """What a template version and answers make.

    Attributes:
        tree: the git tree, in the store of `Renders`.
        answers: every answer that is remembered.
        questions: the default of each question as the template has it, by name.
        types: the type of each question, where the template says one.
        hidden: the questions that did not count, given the other answers.
        seeded: the files that an existing service keeps as they are.
    """

    tree: str
    answers: Mapping[str, Any]
    questions: Mapping[str, str]
    types: Mapping[str, str] = field(default_factory=dict)
    hidden: tuple[str, ...] = ()
    seeded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What is asked of the renderer besides the template version.

    Attributes:
        answers: answers by question.
        label: what the answers file calls the version.
        source: what it calls the template's place.
        strict: an answer that is not valid is an error; otherwise its question has its default, as in
            ``copier update``, and the caller compares.
        exclude: paths to leave out besides those that the template leaves out itself.
    """

    answers: Mapping[str, Any]
    label: str
    source: str
    strict: bool
    exclude: tuple[str, ...] = ()


@dataclass
class Renders:
    """The store of renders: a bare git repository and a record for each render, in the cache folder."""

    folder: Path
    _renderers: dict[str, Renderer] = field(default_factory=dict)

    @property
    def objects(self) -> Path:
        """The folder of git objects that holds the trees."""
        return self._repository / "objects"

    def render(self, version: TemplateVersion, recipe: Recipe) -> Render:
        """Return the render of *version* by *recipe*, from the store if it is there.

        Raises:
            AnswersNeeded: an answer is not valid.
            TrustNeeded: the template runs code of its own.
            UpgradeError: the template cannot be rendered.
        """
        key = hashlib.sha256(
            json.dumps([_format, version.digest, asdict(recipe)], sort_keys=True, default=str).encode()
        ).hexdigest()
        record = self.folder / "records" / key[:2] / f"{key}.json"
        kept = _kept(record)
        if kept is not None and (self.objects / kept.tree[:2] / kept.tree[2:]).exists():
            return kept
        made = self._made(version, recipe)
        _write_whole(record, json.dumps(asdict(made)))
        return made

    def lay_out(
        self, version: TemplateVersion, answers: Mapping[str, Any], *, label: str, source: str, into: Path
    ) -> Path:
        """Write the render of *version* with *answers* into the new folder *into*, and return that.

        Raises:
            AnswersNeeded: an answer is not valid.
            UpgradeError: the template cannot be rendered.
        """
        made = self.render(version, Recipe(answers=answers, label=label, source=source, strict=True))
        into.mkdir(parents=True)
        index = self.folder / f"index-{os.getpid()}"
        git(
            *(
                "-c",
                "core.autocrlf=false",
                "--work-tree",
                str(into),
                "checkout",
                "--quiet",
                made.tree,
                "--",
                ".",
            ),
            folder=into,
            GIT_DIR=str(self._repository),
            GIT_INDEX_FILE=str(index),
        )
        index.unlink(missing_ok=True)
        return into

    def excluded(self, version: TemplateVersion) -> tuple[str, ...]:
        """Return the paths that *version* leaves out of its renders."""
        record = self.folder / "excluded" / f"{version.digest}.json"
        try:
            return tuple(json.loads(record.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            paths = self._renderer(version).excluded
            _write_whole(record, json.dumps(paths))
            return paths

    @property
    def _repository(self) -> Path:
        """The git repository. Another process may be making it too, so it is made aside, and named whole."""
        repository = self.folder / "store.git"
        if not repository.is_dir():
            aside = Path(mkdtemp(prefix="store-", dir=_made_folder(self.folder))) / repository.name
            git("init", "--quiet", "--bare", str(aside), folder=self.folder)
            with suppress(OSError):  # another process was quicker
                aside.rename(repository)
            shutil.rmtree(aside.parent)
        return repository

    def _renderer(self, version: TemplateVersion) -> Renderer:
        from paypath.scaffold.upgrade.renderer import Renderer  # noqa: PLC0415  # copier is half a second

        if version.digest not in self._renderers:
            self._renderers[version.digest] = Renderer(version.folder)
        return self._renderers[version.digest]

    def _made(self, version: TemplateVersion, recipe: Recipe) -> Render:
        from copier.errors import CopierError, UnsafeTemplateError  # noqa: PLC0415  # see `_renderer`
        from jinja2 import TemplateError  # noqa: PLC0415

        scratch = Path(mkdtemp(prefix="render-", dir=_made_folder(self.folder / "scratch")))
        # A name of its own would be another render under a template that asks for the folder's name.
        place = scratch / "service"
        place.mkdir()
        (place / answers_file).write_text(
            yaml.safe_dump({"_commit": recipe.label, "_src_path": recipe.source, **recipe.answers}),
            encoding="utf-8",
        )
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # they are about how copier works inside
                made = self._renderer(version).render(place, recipe)
            return Render(tree=self._stored(place), **made)
        except UnsafeTemplateError as error:
            raise TrustNeeded(
                f"template {version.name}: {_plain(error)}; nothing of it was run, and `paypath` runs none: "
                "use a version without such features, or `copier update --trust` if you trust it"
            ) from error
        except ValueError as error:
            if invalid := _invalid_answer.match(_plain(error)):
                raise AnswersNeeded([f"{invalid['name']}: {invalid['why']}"]) from error
            raise UpgradeError(f"template {version.name}: cannot be rendered; {_plain(error)}") from error
        except (CopierError, TemplateError) as error:
            raise UpgradeError(f"template {version.name}: cannot be rendered; {_plain(error)}") from error
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _stored(self, place: Path) -> str:
        """Store the files of *place* as commits would hold them; return their tree."""
        here = {
            "GIT_DIR": str(self._repository),
            "GIT_WORK_TREE": str(place),
            "GIT_INDEX_FILE": f"{place}.index",
        }
        settings = ("-c", "core.autocrlf=false", "-c", "core.safecrlf=false", "-c", "core.fileMode=true")
        git(*settings, "-c", "core.looseCompression=1", "add", "--all", "--force", ".", folder=place, **here)
        return git("write-tree", folder=place, **here).strip()


def _kept(record: Path) -> Render | None:
    try:
        kept = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return Render(**{**kept, "hidden": tuple(kept["hidden"]), "seeded": tuple(kept["seeded"])})


def _write_whole(record: Path, text: str) -> None:
    """Write a record so that other processes see all of it or none."""
    record.parent.mkdir(parents=True, exist_ok=True)
    aside = record.with_suffix(f".{os.getpid()}")
    aside.write_text(text, encoding="utf-8")
    aside.rename(record)


def _made_folder(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _plain(error: Exception) -> str:
    return " ".join(str(error).split())
