"""What an installed tool carries: read, chosen, and told when it cannot be."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from paypath.scaffold import BadInput, ScaffoldError, _carried, kinds, releases
from paypath.scaffold._installation import installation, same_repository
from paypath.scaffold.sources import open_source
from tests.unit.scaffold.installing import install_at

_url = "https://git.example.org/acme/paypath.git"
Install = Callable[..., Path]


def _archive(path: Path, built_at: str | None, repository: str | None) -> None:
    entries = [
        {"version": version, "commit": version, "template_hash": "x", "date": "2026-01-02"}
        for version in ("0.9.0", "0.10.0")
    ]
    index = {"built_at": built_at, "releases": entries[::-1], "repository": repository}
    files = {"index.json": json.dumps(index)}
    for entry in entries:
        configuration = f"kind:\n  choices:\n    'till: {entry['version']}': till\n"
        files[f"v{entry['version']}/copier.yml"] = configuration
    with tarfile.open(path, "w:xz") as out:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            out.addfile(member, io.BytesIO(text.encode()))


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Lay out a site as an installer would, with an archive, and make this tool the one in it."""

    def install(
        *,
        built_at: str | None = "0.10.0",
        repository: str | None = _url,
        metadata: str = "",
        direct: str = "",
    ) -> Path:
        archive = install_at(tmp_path / "site", monkeypatch, metadata=metadata, direct=direct)
        _archive(archive, built_at, repository)
        return archive

    return install


def test_the_release_that_was_built_is_the_default_and_every_other_can_be_named(install: Install) -> None:
    install(built_at="0.9.0")

    assert [release.version for release in releases()] == ["0.9.0", "0.10.0"]
    assert [kind.summary for kind in kinds()] == ["0.9.0"]
    assert [kind.summary for kind in kinds(ref="v0.10.0")] == ["0.10.0"]
    with open_source() as source:
        assert (source.origin, source.commit, source.notes) == (_url, None, ())
        assert source.folder.is_dir()
    assert not source.folder.exists()


def test_a_wheel_from_between_two_releases_says_which_it_renders(install: Install) -> None:
    install(built_at=None)

    with open_source() as source:
        assert source.release is not None
        assert source.release.version == "0.10.0"
        assert source.notes == (
            "this paypath was built between two releases; v0.10.0, its newest, is rendered",
        )


def test_the_repositorys_url_comes_from_the_metadata_before_the_build(install: Install) -> None:
    install(metadata="Project-URL: Repository, https://git.example.org/fork/paypath\n")

    with open_source() as source:
        assert source.origin == "https://git.example.org/fork/paypath"


def test_an_installers_own_word_comes_first(install: Install) -> None:
    direct = {"url": "https://u:p@git.example.org/own/paypath", "vcs_info": {"vcs": "git", "commit_id": "c0"}}
    install(direct=json.dumps(direct))

    with open_source() as source:
        assert source.origin == "git+https://git.example.org/own/paypath"


def test_without_any_url_one_is_asked_for(install: Install) -> None:
    install(repository=None)

    with (
        pytest.raises(BadInput, match="does not know the git URL that it comes from, and a service has to"),
        open_source(),
    ):
        pass


def test_the_url_of_its_own_repository_needs_no_network_for_a_release(install: Install) -> None:
    install()

    with open_source("ssh://git@git.example.org/acme/paypath", ref="0.9.0") as source:
        assert source.origin == "ssh://git@git.example.org/acme/paypath"
        assert source.release is not None
        assert source.release.version == "0.9.0"


def test_a_damaged_archive_is_told(install: Install) -> None:
    archive = install()
    archive.write_bytes(archive.read_bytes()[:40])

    with pytest.raises(
        ScaffoldError, match=r"released\.tar\.xz: cannot be read \(.*\); install paypath again"
    ):
        releases()


def test_a_checkout_carries_nothing() -> None:
    assert installation().checkout == Path(__file__).parents[3]
    assert _carried.carried() is None


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ("https://git.example.org/a/b.git", "git+https://git.example.org/a/b", True),
        ("git@git.example.org:a/b.git", "ssh://git@git.example.org/a/b/", True),
        ("gh:a/b", "https://github.com/a/b.git", True),
        ("https://git.example.org/a/b", "https://git.example.org/a/c", False),
        ("https://git.example.org/a/b", "https://evil.example.org/a/b", False),
        ("https://git.example.org/a/b", None, False),
    ],
)
def test_a_repository_is_known_however_its_url_is_written(
    one: str, other: str | None, *, equal: bool
) -> None:
    assert same_repository(one, other) is equal
