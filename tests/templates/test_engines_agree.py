"""One source, three ways to render it, the same bytes."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from paypath.scaffold import new
from paypath.template_ci.trees import tree
from tests.templates.conftest import Rendered
from tests.templates.engines import cookiecutter, cookiecutter_of, copier, run
from tests.templates.matrix import kinds, matrix, root


@pytest.mark.parametrize("kind", kinds)
@pytest.mark.parametrize("answers", matrix.values(), ids=matrix)
def test_copier_and_cookiecutter_agree_byte_for_byte(
    plain: Path, rendered: Rendered, tmp_path: Path, kind: str, answers: Mapping[str, str]
) -> None:
    """Modes, line ends and the answers file included."""
    with_copier = tree(rendered(kind, answers))
    answers = {"platform_source": "../paypath", **answers}
    with_cookiecutter = tree(cookiecutter(plain, kind, tmp_path / "cookiecutter", answers))

    assert with_copier == with_cookiecutter
    assert ".copier-answers.yml" in with_copier


@pytest.mark.parametrize("kind", kinds)
def test_paypath_new_gives_what_plain_copier_gives(released: Path, tmp_path: Path, kind: str) -> None:
    by_copier = tree(copier(released, tmp_path / "by-copier", {"kind": kind}))
    by_us = tree(new(tmp_path / "by-us", kind=kind, source=str(released)).folder)

    assert by_us == by_copier


@pytest.mark.parametrize("kind", kinds)
def test_a_git_url_gives_both_engines_the_same(released: Path, tmp_path: Path, kind: str) -> None:
    """What is included is found in a clone as well, whichever folder of it is rendered."""
    answers = {"platform_source": "../paypath"}
    run("git", "clone", "--quiet", "--bare", released, tmp_path / "paypath.git", folder=tmp_path)
    url = f"file://{tmp_path}/paypath.git"

    with_copier = tree(copier(url, tmp_path / "new", {"kind": kind, **answers}, "--vcs-ref", "HEAD"))
    with_cookiecutter = tree(cookiecutter_of(url, f"templates/{kind}", tmp_path / "other", answers))

    # What copier calls the version, cookiecutter cannot know; see test_update for why that is enough.
    for rendered in (with_copier, with_cookiecutter):
        del rendered[".copier-answers.yml"]
    assert with_copier == with_cookiecutter


@pytest.mark.parametrize("kind", kinds)
def test_an_archive_of_the_repository_gives_the_same(released: Path, tmp_path: Path, kind: str) -> None:
    answers = {"platform_source": "../paypath"}
    (tmp_path / "archive").mkdir()
    run("sh", "-c", f"git -C {released} archive HEAD | tar x -C {tmp_path}/archive", folder=tmp_path)

    by_copier = tree(copier(tmp_path / "archive", tmp_path / "new", {"kind": kind, **answers}))

    assert by_copier == tree(cookiecutter(tmp_path / "archive", kind, tmp_path / "other", answers))


@pytest.mark.parametrize("kind", kinds)
def test_two_renders_are_equal(plain: Path, tmp_path: Path, kind: str) -> None:
    first, second = (
        tree(new(tmp_path / name, kind=kind, source=str(plain), use_git=False).folder)
        for name in ("first", "second")
    )

    assert first == second


@pytest.mark.parametrize("kind", kinds)
def test_nothing_of_the_template_is_left_in_a_render(rendered: Rendered, kind: str) -> None:
    for path, (_, content) in tree(rendered(kind, matrix["dashes"])).items():
        for mark in ("cookiecutter", "{{", "{%", "{#"):
            assert mark not in path
            assert mark.encode() not in content, f"{path} holds {mark}"


@pytest.mark.parametrize("kind", kinds)
def test_a_render_reads_as_if_nothing_was_included(rendered: Rendered, kind: str) -> None:
    """No blank line where an inclusion began or ended, and nothing of the default render's name."""
    default, other = (tree(rendered(kind, matrix[answers])) for answers in ("defaults", "longest"))

    for path, (_, content) in other.items():
        text = content.decode()
        assert not text.startswith("\n"), path
        assert not text.endswith("\n\n"), path
        if not path.endswith(".py"):
            assert "\n\n\n" not in text, path
    names = yaml.safe_load(default[".copier-answers.yml"][1])
    if names["service_name"] not in {"payments", "settlements"}:  # words of every one of these services
        for path, (_, content) in other.items():
            for name in (names["service_name"], names["package"], names["package"].upper()):
                assert name.encode() not in content, f"{path} holds {name}"


def test_every_folder_of_templates_is_a_kind_and_every_kind_a_folder() -> None:
    documents = yaml.load_all((root / "copier.yml").read_text(), Loader=_Loader)
    kind = next(document["kind"] for document in documents)

    assert sorted(kind["choices"].values()) == kinds
    assert all(label.startswith(f"{name}: ") for label, name in kind["choices"].items())


def test_both_engines_ask_the_same_with_the_same_defaults_and_words(plain: Path) -> None:
    [*documents] = yaml.load_all((plain / "copier.yml").read_text(), Loader=_Loader)
    asked = {name: details for name, details in documents[0].items() if name[0] != "_" and name != "kind"}

    for kind in kinds:
        context = json.loads((plain / "templates" / kind / "cookiecutter.json").read_text())
        public = [name for name in context if not name.startswith("_")]
        assert public == list(asked)
        assert context["__prompts__"] == {name: details["help"] for name, details in asked.items()}
        for name in ("package", "title"):
            assert context[name].replace("cookiecutter.", "") == asked[name]["default"]
        assert context["_kind"] == kind


@pytest.mark.parametrize("kind", kinds)
def test_both_engines_call_the_default_service_the_same(plain: Path, rendered: Rendered, kind: str) -> None:
    context = json.loads((plain / "templates" / kind / "cookiecutter.json").read_text())

    stored = yaml.safe_load((rendered(kind, {}) / ".copier-answers.yml").read_text())
    assert context["service_name"] == stored["service_name"]


def test_the_version_of_the_templates_is_the_version_of_the_platform() -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    wanted = f"v{project['version']}"

    for kind in kinds:
        context = json.loads((root / "templates" / kind / "cookiecutter.json").read_text())
        assert (context["_template_version"], context["_commit"]) == (wanted, wanted)
    [*_, computed] = yaml.load_all((root / "copier.yml").read_text(), Loader=_Loader)
    assert computed["cookiecutter"]["default"].count(f'"{wanted}"') == 2


class _Loader(yaml.SafeLoader):
    """copier.yml without what it includes."""


_Loader.add_constructor("!include", lambda *_: None)
