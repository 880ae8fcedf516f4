"""The first commit of a new service."""

from __future__ import annotations

from pathlib import Path

import pytest

from paypath.scaffold.git import git
from paypath.scaffold.history import commit_all, surrounding_work_tree
from tests.unit.scaffold.conftest import write


def _log(folder: Path, form: str) -> str:
    return git("log", f"--format={form}", folder=folder).strip()


def test_everything_is_committed_on_main(tmp_path: Path) -> None:
    folder = write(tmp_path / "new", {".gitignore": "*.log\n", "a.log": "x", "b/c": "x"})

    commit = commit_all(folder, "Generate it")

    assert git("ls-tree", "-r", "--name-only", "HEAD", folder=folder).split() == [
        ".gitignore",
        "a.log",
        "b/c",
    ]
    assert _log(folder, "%h %s %D") == f"{commit} Generate it HEAD -> main"


def test_the_author_is_the_user_as_git_knows_them(tmp_path: Path, nobody: Path) -> None:
    write(nobody, {".gitconfig": "[user]\nname = Ada\nemail = ada@example.org\n"})

    commit_all(write(tmp_path / "new", {"a": "x"}), "Generate it")

    assert _log(tmp_path / "new", "%an <%ae> %cn <%ce>") == "Ada <ada@example.org> Ada <ada@example.org>"


def test_nobody_becomes_paypath_for_this_one_commit(tmp_path: Path) -> None:
    commit_all(write(tmp_path / "new", {"a": "x"}), "Generate it")

    assert _log(tmp_path / "new", "%an <%ae> %cn") == "Paypath <paypath@localhost> Paypath"
    assert "user" not in git("config", "--local", "--list", folder=tmp_path / "new")


def test_the_users_set_up_cannot_stop_or_change_it(tmp_path: Path, nobody: Path) -> None:
    hook = write(nobody, {"hooks/pre-commit": "#!/bin/sh\nexit 1\n", "ignored": "a\n"}) / "hooks/pre-commit"
    hook.chmod(0o755)
    config = (
        f"[core]\nhooksPath = {hook.parent}\nexcludesFile = {nobody}/ignored\nautocrlf = true\n"
        "[commit]\ngpgSign = true\n[gpg]\nprogram = false\n[init]\ndefaultBranch = trunk\n"
    )
    write(nobody, {".gitconfig": config})
    folder = tmp_path / "new"
    folder.mkdir()
    (folder / "a").write_bytes(b"1\r\n2\n")

    commit_all(folder, "Generate it")

    assert git("show", "main:a", folder=folder) == "1\r\n2\n"


def test_a_hook_that_generates_is_not_misled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Inside a git hook GIT_DIR names the repository of the hook."""
    other = write(tmp_path / "other", {"a": "x"})
    git("init", "--quiet", folder=other)
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git" / "index"))

    commit_all(write(tmp_path / "new", {"b": "x"}), "Generate it")

    assert git("ls-files", folder=tmp_path / "new").split() == ["b"]
    assert not (other / ".git" / "index").exists()


def test_a_work_tree_takes_in_what_it_does_not_ignore(tmp_path: Path) -> None:
    top = write(tmp_path / "top", {".gitignore": "/scratch/\n", "services/readme": "x"})

    assert surrounding_work_tree(top / "services" / "new") is None

    git("init", "--quiet", folder=top)

    assert surrounding_work_tree(top / "services" / "new") == top
    assert surrounding_work_tree(top / "not" / "yet" / "there") == top
    assert surrounding_work_tree(top / "scratch" / "new") is None
