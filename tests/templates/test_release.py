"""Releases of this repository, made by its own command, found without tags, and carried by its wheel."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from paypath.scaffold import new, releases
from paypath.scaffold._carried import guarded
from paypath.scaffold._record import record_file
from paypath.scaffold.git import git
from paypath.template_ci.trees import tree
from tests.templates.engines import commit, copier, run
from tests.templates.matrix import root

_url = "https://git.example.org/acme/paypath.git"
_readme = "templates/payment-service/{{cookiecutter.service_name}}/README.md"
_me = {
    f"GIT_{role}_{part}": value
    for role in ("AUTHOR", "COMMITTER")
    for part, value in (("NAME", "T"), ("EMAIL", "t@localhost"))
}
# Under `make test` a make inside is one of a lower level, which tells of each folder that it enters.
_maker = {**_me, "MAKEFLAGS": "", "MAKELEVEL": "0"}


@dataclass(frozen=True)
class Platform:
    """A repository with two releases: the version that stands here, and the next."""

    folder: Path
    versions: tuple[str, str]


def _version() -> str:
    lines = (root / "pyproject.toml").read_text().splitlines()
    return next(line.split('"')[1] for line in lines if line.startswith("version = "))


def _copy(folder: Path) -> None:
    listed = git("ls-files", "-z", "--cached", "--others", "--exclude-standard", folder=root).split("\0")
    for name in filter(None, listed):
        if os.path.lexists(root / name) and name.partition("/")[0] not in {"tests", "bench"}:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(root / name, folder / name, follow_symlinks=False)


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Platform:
    """Made by `make release`, whose own check is left out: it has a test of its own, and takes minutes."""
    folder = tmp_path_factory.mktemp("platform") / "paypath"
    _copy(folder)
    (folder / record_file).unlink(missing_ok=True)
    makefile = (folder / "Makefile").read_text()
    recipe = makefile[makefile.index("\ncheck: ") : makefile.index("\ntest: ")]
    makefile = makefile.replace(recipe, "\ncheck:\n\t@echo checked >> .paypath-checks\n")
    makefile = makefile.replace("$(BIN)/python", sys.executable).replace(": $(INSTALLED)", ":")
    (folder / "Makefile").write_text(makefile)
    with (folder / ".gitignore").open("a") as ignored:
        ignored.write("/.paypath-checks\n")
    git("init", "--quiet", "--initial-branch=main", folder=folder)
    git("remote", "add", "origin", _url.replace("https://", "https://ci:secret@"), folder=folder)
    commit(folder, "first")

    first = _version()
    major, minor, _ = first.split(".")
    second = f"{major}.{int(minor) + 1}.0"
    run("make", "release", f"VERSION={first}", "ARGS=--at HEAD", folder=folder, **_maker)
    (folder / _readme).write_text((folder / _readme).read_text() + "\nFrom the next version.\n")
    changelog = (folder / "CHANGELOG.md").read_text()
    entry = "## Unreleased\n\n### Added\n\n- A line in the README.\n"
    (folder / "CHANGELOG.md").write_text(changelog.replace("## Unreleased\n", entry, 1))
    commit(folder, "Say more")
    before = git("rev-parse", "HEAD", folder=folder)
    told = run("make", "release", f"VERSION={second}", "ARGS=--dry-run", folder=folder, **_maker).stdout
    assert told.startswith(f"Would release {second}, after {first}\n")
    assert git("rev-parse", "HEAD", folder=folder) == before
    run("make", "release", f"VERSION={second}", folder=folder, **_maker)
    assert (folder / ".paypath-checks").read_text() == "checked\n"
    return Platform(folder, (first, second))


@pytest.fixture(scope="module")
def without_tags(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of it as a landing leaves it that keeps commits and drops tags."""
    folder = tmp_path_factory.mktemp("clone") / "paypath"
    git("clone", "--quiet", "--no-tags", str(platform.folder), str(folder), folder=folder.parent)
    git("remote", "set-url", "origin", _url, folder=folder)
    assert git("tag", "--list", folder=folder) == ""
    return folder


@pytest.fixture(scope="module")
def installed(without_tags: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a fresh environment with the wheel of *without_tags*, and ours for what that needs."""
    place = tmp_path_factory.mktemp("installed")
    _build(without_tags, place, "wheel")
    [wheel] = place.glob("*.whl")
    run(sys.executable, "-m", "venv", "--without-pip", place / "venv", folder=place)
    [site] = (place / "venv" / "lib").glob("python*/site-packages")
    with zipfile.ZipFile(wheel) as opened:
        opened.extractall(site)  # noqa: S202  # a wheel that was built a moment ago
    (site / "needed.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return place / "venv" / "bin" / "python"


def _build(checkout: Path, into: Path, target: str) -> str:
    return run(sys.executable, "-m", "hatchling", "build", "-t", target, "-d", into, folder=checkout).stderr


def _offline(*command: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run *command* where no network is: in a namespace of its own, or at least behind dead proxies."""
    dead = "http://127.0.0.1:1"
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    for cut in (("unshare", "-n"), ("unshare", "-rn"), ()):
        if not cut or subprocess.run([*cut, "true"], capture_output=True, check=False).returncode == 0:
            return subprocess.run(
                [*cut, *map(str, command)],
                cwd=folder,
                env={**kept, "http_proxy": dead, "https_proxy": dead, "ALL_PROXY": dead},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
    raise AssertionError


def test_both_releases_are_known_with_and_without_tags(platform: Platform, without_tags: Path) -> None:
    with_tags = releases(str(platform.folder))

    assert [release.version for release in with_tags] == list(platform.versions)
    assert releases(str(without_tags)) == with_tags
    assert releases(f"file://{without_tags}/.git") == with_tags
    assert git("rev-parse", f"v{platform.versions[1]}^{{commit}}", folder=platform.folder).strip() == (
        with_tags[1].commit
    )


def test_the_examples_are_released_with_the_version(platform: Platform) -> None:
    answers = platform.folder / "examples/payments/.copier-answers.yml"

    assert f'_commit: "v{platform.versions[1]}"' in answers.read_text()
    assert f"paypath[service]~={platform.versions[1]}" in (answers.parent / "pyproject.toml").read_text()


@pytest.mark.parametrize("number", [0, 1], ids=["first", "second"])
def test_a_release_is_the_same_to_the_byte_wherever_it_comes_from(
    platform: Platform, without_tags: Path, installed: Path, tmp_path: Path, number: int
) -> None:
    """Plain copier on the tag, a checkout with tags, a clone without, its URL, a wheel without a network."""
    tag = f"v{platform.versions[number]}"
    answers = {"kind": "payment-service", "platform_source": _url}

    wanted = tree(copier(platform.folder, tmp_path / "copier", answers, "--vcs-ref", tag))
    for name, source in {
        "tagged": str(platform.folder),
        "tagless": str(without_tags),
        "url": f"file://{without_tags}/.git",
    }.items():
        assert tree(new(tmp_path / name, source=source, ref=tag, answers=answers).folder) == wanted, name
    done = _offline(
        *(installed, "-m", "paypath", "new", "wheel", "--kind", "payment-service", "--ref", tag, "--json"),
        folder=tmp_path,
    )

    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert (made["version"], made["source"]) == (tag, _url)
    assert tree(tmp_path / "wheel") == wanted
    remembered = (tmp_path / "wheel/.copier-answers.yml").read_text()
    assert f'_src_path: "{_url}"' in remembered
    assert f'platform_source: "{_url}"' in remembered
    assert ("From the next version." in (tmp_path / "wheel/README.md").read_text()) is (number == 1)


def test_an_installed_tool_needs_no_network_for_what_it_carries(installed: Path, tmp_path: Path) -> None:
    """Its own release is the default, and its repository's URL may be named by hand, as an upgrade does."""
    by_default = _offline(installed, "-m", "paypath", "new", "a", "--defaults", folder=tmp_path)
    by_url = _offline(
        *(installed, "-m", "paypath", "new", "b", "--defaults", "--ref", f"v{_version()}"),
        *("--source", "git@git.example.org:acme/paypath"),
        folder=tmp_path,
    )
    listed = _offline(installed, "-m", "paypath", "templates", folder=tmp_path)
    elsewhere = _offline(
        *(installed, "-m", "paypath", "new", "c", "--defaults", "--ref", f"v{_version()}"),
        *("--source", "https://git.example.org/other/paypath.git"),
        folder=tmp_path,
    )

    assert (by_default.returncode, by_url.returncode, listed.returncode) == (0, 0, 0), by_url.stderr
    assert "From the next version." in (tmp_path / "a/README.md").read_text()
    remembered = (tmp_path / "b/.copier-answers.yml").read_text()
    assert 'platform_source: "ssh://git@git.example.org/acme/paypath"' in remembered
    assert elsewhere.returncode == 1
    assert "cannot be read" in elsewhere.stderr


def test_the_archive_is_the_same_for_the_same_history_and_names_no_secret(
    platform: Platform, without_tags: Path, tmp_path: Path
) -> None:
    archives = []
    for number, checkout in enumerate((platform.folder, without_tags)):
        _build(checkout, tmp_path / str(number), "wheel")
        [wheel] = (tmp_path / str(number)).glob("*.whl")
        with zipfile.ZipFile(wheel) as opened:
            archives.append(opened.read("paypath/scaffold/released.tar.xz"))

    assert archives[0] == archives[1]
    assert b"secret" not in archives[0]
    assert len(archives[0]) < 200_000


def test_a_wheel_from_a_source_distribution_carries_the_same(
    without_tags: Path, installed: Path, tmp_path: Path
) -> None:
    _build(without_tags, tmp_path / "sdist", "sdist")
    [sdist] = (tmp_path / "sdist").glob("*.tar.gz")
    with guarded(tarfile.open(sdist)) as opened:
        opened.extractall(tmp_path)  # noqa: S202  # built a moment ago
    [unpacked] = tmp_path.glob("paypath-*")
    _build(unpacked, tmp_path / "wheel", "wheel")
    [wheel] = (tmp_path / "wheel").glob("*.whl")

    [site] = (installed.parents[1] / "lib").glob("python*/site-packages")
    with zipfile.ZipFile(wheel) as opened:
        carried = opened.read("paypath/scaffold/released.tar.xz")
    assert carried == (site / "paypath/scaffold/released.tar.xz").read_bytes()


def test_a_wheel_from_a_shallow_clone_says_what_it_lacks(without_tags: Path, tmp_path: Path) -> None:
    git(
        *("clone", "--quiet", "--depth=1", f"file://{without_tags}/.git", str(tmp_path / "shallow")),
        folder=tmp_path,
    )

    said = _build(tmp_path / "shallow", tmp_path / "wheel", "wheel")

    assert f"v{_version()} is recorded as" in said
    assert "git fetch --unshallow" in said


def test_this_repository_records_no_commit_twice_and_only_what_it_has() -> None:
    known = releases(str(root))

    assert len({release.commit for release in known}) == len(known)
    assert [release.number for release in known] == sorted(release.number for release in known)
    for release in known:
        tags = git("tag", "--points-at", release.commit, folder=root).split()
        assert tags in ([], [release.tag])
