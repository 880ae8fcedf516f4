"""The build hook's archive: every file of a release as git has it, links and modes included."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from paypath.scaffold._carried import carried, unpack
from paypath.scaffold._record import template_hash
from paypath.scaffold.git import git
from tests.unit.releasing.hook import load_hook


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    return load_hook()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "platform"
    kind = root / "templates" / "till"
    (root / "templates/shared").mkdir(parents=True)
    (root / "templates/shared/part").write_text("shared\n")
    (root / "templates/README.md").write_text("for maintainers\n")
    (kind / "templates").mkdir(parents=True)
    (kind / "templates/shared").symlink_to("../../shared")
    (kind / "run").write_bytes(b"#!/bin/sh\n\xff")
    (kind / "run").chmod(0o755)
    (root / "copier.yml").write_text("a: b\n")
    (root / "CHANGELOG.md").write_text("## 1.2.3\n")
    (root / "pyproject.toml").write_text("")
    git("init", "--quiet", "--initial-branch=main", folder=root)
    git("add", "--all", folder=root)
    git("-c", "user.name=T", "-c", "user.email=t@localhost", "commit", "-qm", "first", folder=root)
    return root


def test_files_for_maintainers_are_carried_and_do_not_count(hook: ModuleType, root: Path) -> None:
    """A record that was written since makes no other release, but its git tree is the released one."""
    before = hook.template_hash(hook.Repository(root).tree("HEAD"))
    (root / "templates/README.md").write_text("more for maintainers\n")
    git("add", "--all", folder=root)
    git("-c", "user.name=T", "-c", "user.email=t@localhost", "commit", "-qm", "second", folder=root)

    tree = hook.Repository(root).tree("HEAD")

    assert "templates/README.md" in [path for _, _, path in tree]
    assert hook.template_hash(tree) == before == template_hash(root, "HEAD")


def test_what_is_unpacked_is_what_was_released(hook: ModuleType, root: Path, tmp_path: Path) -> None:
    repository = hook.Repository(root)
    found, missing = repository.releases("1.2.3")
    archive = tmp_path / "released.tar.xz"
    hook.write(archive, repository, found, "1.2.3")

    carries = carried(archive)
    assert missing == []
    assert carries is not None
    [release] = carries.releases
    assert (release.version, carries.built_at) == ("1.2.3", "1.2.3")
    assert release.template_hash == template_hash(root, "HEAD")
    unpacked = unpack(release, tmp_path / "unpacked", archive)
    link = unpacked / "templates/till/templates/shared"
    assert link.is_symlink()
    assert (link / "part").read_text() == "shared\n"
    assert (unpacked / "templates/till/run").read_bytes() == b"#!/bin/sh\n\xff"
    assert (unpacked / "templates/till/run").stat().st_mode & 0o777 == 0o755
    assert (unpacked / "CHANGELOG.md").read_text() == "## 1.2.3\n"
    assert not (unpacked / "pyproject.toml").exists()


@pytest.mark.parametrize(
    ("origin", "public"),
    [
        ("https://ci:secret@git.example.org/a/b.git", "https://git.example.org/a/b.git"),
        ("ssh://git:secret@git.example.org/a/b.git", "ssh://git@git.example.org/a/b.git"),
        ("git@git.example.org:a/b.git", "git@git.example.org:a/b.git"),
        ("/srv/git/b.git", None),
        ("file:///srv/git/b.git", None),
        ("../b", None),
    ],
)
def test_only_a_public_url_without_credentials_is_carried(
    hook: ModuleType, root: Path, origin: str, public: str | None
) -> None:
    git("remote", "add", "origin", origin, folder=root)

    assert hook.Repository(root).url() == public
