"""A small source of templates, as a folder and as a git repository: the engine without our own templates."""

from __future__ import annotations

from pathlib import Path

import pytest

from paypath.scaffold.git import git

_configuration = r"""
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
  help: What is it called?
  default: shop
  validator: "{% if not service_name.islower() %}{{ service_name | to_json }} is not lower-case{% endif %}"

colour:
  type: str
  help: Which colour?
  default: "grey-{{ service_name }}"

platform_source:
  type: str
  ask: false
  default: "{{ _src_path }}"
---
!include templates/*/questions.yml
---
cookiecutter:
  type: json
  when: false
  default: >-
    {{ dict(_copier_answers, _commit=_copier_answers._commit | default("v1.0.0")) | to_json }}
"""

_answers = """\
_commit: "{{ cookiecutter._commit }}"
_src_path: "{{ cookiecutter.platform_source }}"
kind: till
service_name: "{{ cookiecutter.service_name }}"
colour: "{{ cookiecutter.colour }}"
platform_source: "{{ cookiecutter.platform_source }}"
"""


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one kind of service, "till", and no git."""
    tree = "templates/till/{{cookiecutter.service_name}}"
    return write(
        tmp_path / "source",
        {
            "copier.yml": _configuration,
            f"{tree}/.copier-answers.yml": _answers,
            f"{tree}/colour.txt": "{{ cookiecutter.colour }}\n",
        },
    )


@pytest.fixture
def checkout(folder: Path) -> Path:
    """The same as a git repository with one commit."""
    git("init", "--quiet", "--initial-branch=main", folder=folder)
    commit(folder, "first")
    return folder


def commit(folder: Path, message: str) -> str:
    git("add", "--all", folder=folder)
    git("-c", "user.name=T", "-c", "user.email=t@localhost", "commit", "-qm", message, folder=folder)
    return git("rev-parse", "HEAD", folder=folder).strip()


@pytest.fixture(autouse=True)
def nobody(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Git as on a fresh machine: nobody has said who they are. The folder is the home."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for variable in (
        "GIT_CONFIG_GLOBAL",
        "EMAIL",
        *(f"GIT_{r}_{p}" for r in ("AUTHOR", "COMMITTER") for p in ("NAME", "EMAIL")),
    ):
        monkeypatch.delenv(variable, raising=False)
    return home
