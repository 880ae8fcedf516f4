"""Where templates come from, and which version of them counts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

import paypath
from paypath.scaffold._installation import installation
from paypath.scaffold.errors import BadInput, ScaffoldError
from paypath.scaffold.git import git
from paypath.scaffold.sources import open_source, snapshot, without_credentials
from tests.unit.scaffold.conftest import commit, write


@pytest.mark.parametrize("worktree", [False, True])
def test_a_plain_folder_is_read_as_it_is(folder: Path, *, worktree: bool) -> None:
    with open_source(str(folder), worktree=worktree) as source:
        assert source.commit is None
        assert "till" in (source.read("copier.yml") or "")
        assert source.read("templates/till/questions.yml") is None


def test_a_checkout_counts_as_committed_and_says_what_is_left_out(checkout: Path) -> None:
    write(
        checkout,
        {
            "copier.yml": "kind: changed\n",
            "templates/new/a": "x",
            "templates/new/b": "x",
            "README.md": "not a template",
        },
    )

    with open_source(str(checkout)) as source:
        assert "till" in (source.read("copier.yml") or "")
        assert source.notes == (
            f"3 uncommitted template changes are not rendered ({checkout}); commit them, or pass --worktree",
        )


def test_a_clean_checkout_has_nothing_to_say(checkout: Path) -> None:
    with open_source(str(checkout)) as source:
        assert source.notes == ()


def test_the_worktree_is_a_snapshot_of_what_git_would_take_in(checkout: Path, tmp_path: Path) -> None:
    write(checkout, {".gitignore": "*.log\n", "templates/till/new.txt": "x", "templates/till/noise.log": "x"})
    (checkout / "templates/till/{{cookiecutter.service_name}}/colour.txt").unlink()

    taken = snapshot(checkout, tmp_path / "taken")

    assert sorted(str(path.relative_to(taken)) for path in taken.rglob("*") if path.is_file()) == [
        "copier.yml",
        "templates/till/new.txt",
        "templates/till/{{cookiecutter.service_name}}/.copier-answers.yml",
    ]


def test_the_snapshot_is_gone_after_the_block_and_its_origin_is_the_checkout(checkout: Path) -> None:
    with open_source(str(checkout), worktree=True) as source:
        assert source.origin == str(checkout)
        assert source.commit is None
        assert source.folder.is_dir()

    assert not source.folder.exists()


def test_a_url_is_read_at_its_newest_release(checkout: Path) -> None:
    for tag in ("v1.9.0", "v1.10.0", "v2.0.0rc1", "other-v3.0.0"):
        write(checkout, {"copier.yml": f"version: {tag}\n"})
        commit(checkout, tag)
        git("tag", tag, folder=checkout)

    with open_source(f"file://{checkout}/.git") as source:
        assert source.read("copier.yml") == "version: v1.10.0\n"
        assert source.origin == f"file://{checkout}/.git"


def test_a_url_without_releases_is_read_at_its_head(checkout: Path) -> None:
    with open_source(f"file://{checkout}/.git") as source:
        assert source.commit == git("rev-parse", "HEAD", folder=checkout).strip()


def test_a_branch_of_a_url_can_be_named(checkout: Path) -> None:
    git("checkout", "--quiet", "-b", "next", folder=checkout)
    write(checkout, {"copier.yml": "version: next\n"})
    commit(checkout, "next")
    git("checkout", "--quiet", "main", folder=checkout)

    with open_source(f"file://{checkout}/.git", ref="next") as source:
        assert source.read("copier.yml") == "version: next\n"


@pytest.mark.parametrize("ref", ["v9.9.9", "--all", "-x"])
def test_an_unknown_ref_is_refused_with_what_there_is(checkout: Path, ref: str) -> None:
    git("tag", "v1.0.0", folder=checkout)

    for place in (str(checkout), f"file://{checkout}/.git"):
        with (
            pytest.raises(BadInput, match=rf"--ref: there is no {ref} .*v1\.0\.0"),
            open_source(place, ref=ref),
        ):
            pass


def test_a_folder_that_is_no_source_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"holds no copier\.yml; name a checkout"), open_source(str(tmp_path)):
        pass
    with pytest.raises(BadInput, match="there is no folder"), open_source(str(tmp_path / "nothing")):
        pass


def test_a_plain_folder_has_no_ref(folder: Path) -> None:
    with (
        pytest.raises(BadInput, match=r"--ref: .* is a folder without git"),
        open_source(str(folder), ref="v1"),
    ):
        pass


def test_a_checkout_without_a_commit_is_no_source(folder: Path) -> None:
    git("init", "--quiet", folder=folder)

    with pytest.raises(ScaffoldError, match="has no commit to render"), open_source(str(folder)):
        pass


def test_a_url_that_cannot_be_read_is_told_without_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some versions of git repeat the URL as it was given."""
    talkative = write(tmp_path, {"git": '#!/bin/sh\necho "fatal: cannot read $*" >&2\nexit 128\n'}) / "git"
    talkative.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    with (
        pytest.raises(ScaffoldError, match=r"--source: https://localhost/a\.git cannot be read") as raised,
        open_source("https://user:hunter2@localhost/a.git"),
    ):
        pass

    assert "cannot read clone" in str(raised.value)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("url", "public"),
    [
        ("https://token@git.example.org/a.git", "https://git.example.org/a.git"),
        ("git+https://u:p@git.example.org/a", "git+https://git.example.org/a"),
        ("ssh://git:p@git.example.org/a.git", "ssh://git@git.example.org/a.git"),
        ("git@git.example.org:acme/a.git", "git@git.example.org:acme/a.git"),
        ("https://git.example.org/@scope/a.git", "https://git.example.org/@scope/a.git"),
    ],
)
def test_credentials_never_leave_a_url(url: str, public: str) -> None:
    assert without_credentials(url) == public


def _installed(site: Path, monkeypatch: pytest.MonkeyPatch, origin: Mapping[str, object] | None) -> None:
    """Lay out *site* as an installer would, and make this tool the one in it."""
    write(site, {"paypath-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: paypath\nVersion: 1.0\n"})
    if origin:
        write(site, {"paypath-1.0.dist-info/direct_url.json": json.dumps(origin)})
    monkeypatch.syspath_prepend(site)
    monkeypatch.setattr(paypath, "__file__", str(site / "paypath" / "__init__.py"))


def test_a_tool_installed_from_a_url_takes_its_templates_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PEP 610: what an installer writes beside a distribution that came from git."""
    record = {"url": "https://git.example.org/a.git", "vcs_info": {"vcs": "git", "commit_id": "c0ffee"}}
    _installed(tmp_path, monkeypatch, record)

    here = installation()
    assert (here.place, here.commit) == ("git+https://git.example.org/a.git", "c0ffee")


def test_a_tool_installed_from_a_wheel_asks_for_a_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _installed(tmp_path, monkeypatch, None)

    with (
        pytest.raises(BadInput, match="--source: this paypath was installed without its templates"),
        open_source(),
    ):
        pass


def test_the_checkout_that_holds_the_tool_is_the_default() -> None:
    root = Path(__file__).parents[3]

    assert installation().place == str(root)
