"""One source, three ways to render it, the same bytes."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
import yaml

from paypath.scaffold import new
from tests.templates.conftest import root
from tests.templates.engines import cookiecutter, copier, tree

matrix = {
    "defaults": {},
    "dashes": {"service_name": "card-payments"},
    "shortest": {"service_name": "a1b", "title": "A"},
    "longest": {
        "service_name": "a-service-for-payments-with-a-long-names",
        "title": "A service for payments whose title is rather long.",
    },
    "own package and title": {"service_name": "till", "package": "card_till", "title": "Händler & Co. (EU)"},
    "from a URL": {"platform_source": "https://git.example.org/acme/paypath.git"},
    "from a URL without .git": {"platform_source": "ssh://git@git.example.org/acme/paypath"},
}


def _kinds() -> list[str]:
    return sorted(path.parent.name for path in root.glob("templates/*/cookiecutter.json"))


@pytest.mark.parametrize("kind", _kinds())
@pytest.mark.parametrize("answers", matrix.values(), ids=matrix)
def test_copier_and_cookiecutter_agree_byte_for_byte(
    plain: Path, tmp_path: Path, kind: str, answers: dict[str, str]
) -> None:
    """Modes, line ends and the answers file included."""
    answers = {"platform_source": "../paypath", **answers}

    with_copier = tree(copier(plain, tmp_path / "new", {"kind": kind, **answers}))
    with_cookiecutter = tree(cookiecutter(plain, kind, tmp_path / "cookiecutter", answers))

    assert with_copier == with_cookiecutter
    assert ".copier-answers.yml" in with_copier


@pytest.mark.parametrize("kind", _kinds())
def test_paypath_new_gives_what_plain_copier_gives(released: Path, tmp_path: Path, kind: str) -> None:
    by_copier = tree(copier(released, tmp_path / "by-copier", {"kind": kind}))
    by_us = tree(new(tmp_path / "by-us", kind=kind, source=str(released)).folder)

    assert by_us == by_copier


def test_two_renders_are_equal(plain: Path, tmp_path: Path) -> None:
    first, second = (
        tree(new(tmp_path / name, source=str(plain), use_git=False).folder) for name in ("first", "second")
    )

    assert first == second


def test_nothing_of_the_template_is_left_in_a_render(plain: Path, tmp_path: Path) -> None:
    for path, (_, content) in tree(copier(plain, tmp_path / "new", {"service_name": "till"})).items():
        for mark in ("cookiecutter", "{{", "{%", "{#"):
            assert mark not in path
            assert mark.encode() not in content, f"{path} holds {mark}"


def test_every_folder_of_templates_is_a_kind_and_every_kind_a_folder() -> None:
    documents = yaml.load_all((root / "copier.yml").read_text(), Loader=_Loader)
    kind = next(document["kind"] for document in documents)

    assert sorted(kind["choices"].values()) == _kinds()
    assert all(label.startswith(f"{name}: ") for label, name in kind["choices"].items())


def test_both_engines_ask_the_same_with_the_same_defaults_and_words(plain: Path) -> None:
    [*documents] = yaml.load_all((plain / "copier.yml").read_text(), Loader=_Loader)
    asked = {name: details for name, details in documents[0].items() if name[0] != "_" and name != "kind"}

    for kind in _kinds():
        context = json.loads((plain / "templates" / kind / "cookiecutter.json").read_text())
        public = [name for name in context if not name.startswith("_")]
        assert public == list(asked)
        assert context["__prompts__"] == {name: details["help"] for name, details in asked.items()}
        for name in ("service_name", "package", "title"):
            assert context[name].replace("cookiecutter.", "") == asked[name]["default"]


def test_the_version_of_the_templates_is_the_version_of_the_platform() -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    wanted = f"v{project['version']}"

    for kind in _kinds():
        context = json.loads((root / "templates" / kind / "cookiecutter.json").read_text())
        assert (context["_template_version"], context["_commit"]) == (wanted, wanted)
    [*_, computed] = yaml.load_all((root / "copier.yml").read_text(), Loader=_Loader)
    assert computed["cookiecutter"]["default"].count(f'"{wanted}"') == 2


class _Loader(yaml.SafeLoader):
    """copier.yml without what it includes."""


_Loader.add_constructor("!include", lambda *_: None)
