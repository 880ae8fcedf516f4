"""The files of a template version, laid out beside the repository that holds them."""

from __future__ import annotations

from pathlib import Path

import pytest

from paypath.scaffold.git import git
from paypath.scaffold.layout import described, lay_out
from tests.unit.scaffold.conftest import commit, write


@pytest.fixture
def laid(tmp_path: Path) -> Path:
    folder = tmp_path / "laid"
    folder.mkdir()
    return folder


def _files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


_template = [
    "copier.yml",
    "templates/till/{{cookiecutter.service_name}}/.copier-answers.yml",
    "templates/till/{{cookiecutter.service_name}}/colour.txt",
]


def test_only_the_templates_of_a_commit_are_laid_out(checkout: Path, laid: Path) -> None:
    first = commit(write(checkout, {"paypath/tool.py": "", "docs/templates/a.md": ""}), "The tool")
    commit(write(checkout, {"templates/later.txt": ""}), "Later")

    assert _files(lay_out(checkout / ".git", first, laid)) == _template
    assert [path.name for path in laid.parent.iterdir() if "index" in path.name] == []


def test_all_of_a_repository_is_laid_out_where_no_folder_is_templates(laid: Path, tmp_path: Path) -> None:
    repository = write(tmp_path / "plain", {"copier.yml": "_subdirectory: files\n", "files/a": ""})
    git("init", "--quiet", folder=repository)

    assert _files(lay_out(repository / ".git", commit(repository, "first"), laid)) == [
        "copier.yml",
        "files/a",
    ]


def test_what_is_staged_in_the_repository_stays_staged(checkout: Path, laid: Path) -> None:
    write(checkout, {"copier.yml": "half: done\n"})
    git("add", "--all", folder=checkout)
    before = git("status", "--porcelain=v2", "--untracked-files=all", folder=checkout)

    lay_out(checkout / ".git", "HEAD", laid)

    assert git("status", "--porcelain=v2", "--untracked-files=all", folder=checkout) == before
    assert (checkout / "copier.yml").read_text() == "half: done\n"


def test_a_sparse_checkout_and_a_linked_work_tree_give_all_files(
    checkout: Path, laid: Path, tmp_path: Path
) -> None:
    write(checkout, {"docs/a.md": ""})
    head = commit(checkout, "docs")
    git("worktree", "add", "--quiet", str(tmp_path / "linked"), folder=checkout)
    git("sparse-checkout", "set", "docs", folder=tmp_path / "linked")
    assert _files(tmp_path / "linked" / "templates") == []
    linked = git("rev-parse", "--absolute-git-dir", folder=tmp_path / "linked").strip()

    assert _files(lay_out(Path(linked), head, laid)) == _template


def test_the_users_line_ends_have_no_say(checkout: Path, laid: Path, nobody: Path) -> None:
    write(nobody, {".gitconfig": "[core]\nautocrlf = true\n"})

    lay_out(checkout / ".git", "HEAD", laid)

    assert b"\r" not in (laid / "copier.yml").read_bytes()


def test_a_version_is_called_as_git_describes_it(checkout: Path) -> None:
    untagged = git("rev-parse", "--short", "HEAD", folder=checkout).strip()
    assert described(checkout, "HEAD") == untagged

    git("tag", "v1.0.0", folder=checkout)
    later = commit(write(checkout, {"a": ""}), "later")

    assert described(checkout, "v1.0.0") == "v1.0.0"
    assert described(checkout, later) == f"v1.0.0-1-g{later[:7]}"
