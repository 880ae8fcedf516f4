"""A release: refused while anything stands in its way, and then made whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from paypath.releasing import Plan, Refused, plan_past_release, plan_release, release
from paypath.releasing.perform import make_check
from paypath.scaffold import ScaffoldError, releases
from paypath.scaffold._record import record_file, template_hash
from paypath.scaffold.git import git

_day = "2026-01-02"


def _write(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def _commit(root: Path, message: str = "change") -> str:
    git("add", "--all", folder=root)
    git("commit", "--quiet", "--message", message, folder=root)
    return git("rev-parse", "HEAD", folder=root).strip()


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A platform with one kind at 0.1.0, nothing released, two entries in its changelog."""
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "T")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "t@localhost")
    root = tmp_path / "platform"
    _write(root, "pyproject.toml", '[project]\nname = "paypath"\nversion = "0.1.0"\n')
    _write(
        root,
        "copier.yml",
        'x: {{ dict(a, _template_version="v0.1.0", _commit=a._commit | default("v0.1.0")) }}\n',
    )
    _write(
        root,
        "templates/till/cookiecutter.json",
        '{\n  "_template_version": "v0.1.0",\n  "_commit": "v0.1.0"\n}\n',
    )
    _write(root, "templates/README.md", "The version, such as v0.1.0.\n")
    _write(
        root,
        "CHANGELOG.md",
        "# Changelog\n\n## Unreleased\n\n### Added\n\n- Tills.\n\n### Fixed\n\n- Cash.\n",
    )
    git("init", "--quiet", "--initial-branch=main", folder=root)
    _commit(root, "first")
    return root


def _passes(root: Path) -> None:
    """As `make check` does where nothing is found."""


def _examples(root: Path) -> None:
    _write(root, "examples/till/version", (root / "pyproject.toml").read_text())


def _release(root: Path, version: str) -> None:
    release(root, plan_release(root, version, date=_day), check=_passes, examples=_examples)


def _entry(root: Path, text: str) -> None:
    changelog = (root / "CHANGELOG.md").read_text()
    _write(
        root,
        "CHANGELOG.md",
        changelog.replace("## Unreleased\n", f"## Unreleased\n\n### Added\n\n- {text}\n", 1),
    )
    _commit(root, text)


def test_the_version_is_set_wherever_it_stands_and_nowhere_else(root: Path) -> None:
    _release(root, "0.2.0")

    assert 'version = "0.2.0"' in (root / "pyproject.toml").read_text()
    assert (root / "copier.yml").read_text().count('"v0.2.0"') == 2
    assert json.loads((root / "templates/till/cookiecutter.json").read_text()) == {
        "_template_version": "v0.2.0",
        "_commit": "v0.2.0",
    }
    assert (root / "templates/README.md").read_text() == "The version, such as v0.1.0.\n"
    assert 'version = "0.2.0"' in (root / "examples/till/version").read_text()


def test_what_was_unreleased_becomes_the_versions_section(root: Path) -> None:
    _release(root, "0.2.0")
    _entry(root, "Drawers.")
    _release(root, "0.3.0")

    assert (root / "CHANGELOG.md").read_text() == (
        "# Changelog\n\n## Unreleased\n\n## 0.3.0 - 2026-01-02\n\n### Added\n\n- Drawers.\n\n"
        "## 0.2.0 - 2026-01-02\n\n### Added\n\n- Tills.\n\n### Fixed\n\n- Cash.\n"
    )


def test_the_released_commit_has_the_tag_and_the_next_one_the_record(root: Path) -> None:
    _release(root, "0.2.0")

    released = git("rev-parse", "v0.2.0^{commit}", folder=root).strip()
    assert git("log", "-3", "--format=%s", folder=root).splitlines() == [
        "Record release 0.2.0",
        "Release 0.2.0",
        "first",
    ]
    assert git("rev-parse", "HEAD~1", folder=root).strip() == released
    assert json.loads((root / record_file).read_text()) == {
        "releases": [
            {
                "version": "0.2.0",
                "commit": released,
                "template_hash": template_hash(root, released),
                "date": _day,
            }
        ]
    }
    assert git("status", "--porcelain", folder=root) == ""
    # Recording changes nothing that renders.
    assert template_hash(root, "HEAD") == template_hash(root, released)


def test_no_commit_carries_two_versions(root: Path) -> None:
    """`git describe` would name one of them, and copier compare the other."""
    for version in ("0.1.0", "0.2.0", "0.3.0"):
        _release(root, version)
        _entry(root, f"After {version}.")

    commits = [one.commit for one in releases(str(root))]
    assert len(set(commits)) == 3
    for commit in commits:
        assert len(git("tag", "--points-at", commit, folder=root).split()) == 1


def test_the_version_that_stands_there_can_be_the_first_release(root: Path) -> None:
    assert plan_release(root, "0.1.0", date=_day).before is None


@pytest.mark.parametrize("version", ["0.2", "v0.2.0", "0.2.0rc1", "01.2.0", "0.2.0 ", "", "../x"])
def test_what_is_no_version_is_refused(root: Path, version: str) -> None:
    with pytest.raises(Refused, match="is no version; give three numbers"):
        plan_release(root, version, date=_day)


def test_a_version_must_be_higher_than_the_last(root: Path) -> None:
    with pytest.raises(Refused, match=r"0\.0\.9: lower than 0\.1\.0, which stands in pyproject\.toml"):
        plan_release(root, "0.0.9", date=_day)
    _release(root, "0.10.0")
    _entry(root, "More.")

    with pytest.raises(Refused, match=r"0\.9\.0: not higher than 0\.10\.0"):
        plan_release(root, "0.9.0", date=_day)
    with pytest.raises(Refused, match=r"0\.10\.0: released already, as "):
        plan_release(root, "0.10.0", date=_day)


def test_a_clone_without_tags_knows_the_last_version_too(root: Path) -> None:
    _release(root, "0.2.0")
    _entry(root, "More.")
    git("tag", "--delete", "v0.2.0", folder=root)

    with pytest.raises(Refused, match=r"0\.2\.0: released already"):
        plan_release(root, "0.2.0", date=_day)


def test_uncommitted_files_another_branch_and_a_shallow_clone_are_refused(root: Path, tmp_path: Path) -> None:
    git("clone", "--quiet", "--depth=1", f"file://{root}/.git", str(tmp_path / "shallow"), folder=tmp_path)
    with pytest.raises(Refused, match="history: this clone is shallow"):
        plan_release(tmp_path / "shallow", "0.2.0", date=_day)
    _write(root, "new.txt", "x")
    with pytest.raises(Refused, match=r"work tree: 1 file not committed \(\?\? new\.txt"):
        plan_release(root, "0.2.0", date=_day)
    git("switch", "--quiet", "--create", "topic", folder=root)
    with pytest.raises(Refused, match="branch: this is topic; releases are made on main"):
        plan_release(root, "0.2.0", date=_day)


@pytest.mark.parametrize("left", ["", "### Added\n", "Soon.\n"])
def test_a_changelog_that_says_nothing_is_refused(root: Path, left: str) -> None:
    _write(root, "CHANGELOG.md", f"# Changelog\n\n## Unreleased\n\n{left}\n## 0.0.1\n\n- Old.\n")
    _commit(root)

    with pytest.raises(Refused, match="nothing stands under Unreleased"):
        plan_release(root, "0.2.0", date=_day)


def test_a_second_version_on_one_commit_is_refused(root: Path) -> None:
    git("tag", "v0.0.9", folder=root)

    with pytest.raises(Refused, match=r"tagged v0\.0\.9 already; with two versions on one commit"):
        plan_release(root, "0.2.0", date=_day)
    with pytest.raises(Refused, match=r"tagged v0\.0\.9 already"):
        plan_past_release(root, "0.1.0", "HEAD")


def _fails(root: Path) -> None:
    raise ScaffoldError(f"{root.name}: found something")


def _is_interrupted(root: Path) -> None:
    _examples(root)
    raise KeyboardInterrupt


def _forgets_a_place(root: Path) -> None:
    _write(root, "templates/till/cookiecutter.json", '{"_template_version": "v0.1.0"}\n')


@pytest.mark.parametrize(
    ("check", "examples"),
    [(_fails, _examples), (_passes, _fails), (_passes, _is_interrupted), (_passes, _forgets_a_place)],
)
def test_a_release_that_fails_leaves_everything_as_it_was(
    root: Path, check: object, examples: object
) -> None:
    before = git("rev-parse", "HEAD", folder=root)

    with pytest.raises((ScaffoldError, KeyboardInterrupt)):
        release(root, plan_release(root, "0.2.0", date=_day), check=check, examples=examples)  # type: ignore[arg-type]  # parametrized

    assert git("rev-parse", "HEAD", folder=root) == before
    assert git("status", "--porcelain", folder=root) == ""
    assert git("tag", "--list", folder=root) == ""


def test_a_record_that_cannot_be_committed_takes_the_tag_back(root: Path) -> None:
    before = git("rev-parse", "HEAD", folder=root)
    hook = root / ".git/hooks/commit-msg"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text('#!/bin/sh\n! grep -q "^Record" "$1"\n')
    hook.chmod(0o755)

    with pytest.raises(ScaffoldError, match="git commit"):
        _release(root, "0.2.0")

    assert git("rev-parse", "HEAD", folder=root) == before
    assert git("tag", "--list", folder=root) == ""
    assert git("status", "--porcelain", folder=root) == ""


def test_a_check_that_finds_something_ends_the_release(root: Path) -> None:
    _write(root, "Makefile", "check:\n\t@false\n")
    _commit(root)

    with pytest.raises(ScaffoldError, match="make check: not passed, so nothing was released"):
        make_check(root)


def _past(root: Path, version: str, commit: str) -> Plan:
    return plan_past_release(root, version, commit)


def test_a_commit_of_the_past_is_recorded_with_what_its_changelog_said(root: Path) -> None:
    first = git("rev-parse", "HEAD", folder=root).strip()
    _entry(root, "Later.")

    made = release(root, _past(root, "0.1.0", first), check=_fails, examples=_fails)

    assert made.commit == first
    assert git("rev-parse", "v0.1.0^{commit}", folder=root).strip() == first
    assert [one.commit for one in releases(str(root))] == [first]
    day = git("show", "--no-patch", "--format=%cs", first, folder=root).strip()
    assert (root / "CHANGELOG.md").read_text() == (
        "# Changelog\n\n## Unreleased\n\n### Added\n\n- Later.\n\n"
        f"## 0.1.0 - {day}\n\n### Added\n\n- Tills.\n\n### Fixed\n\n- Cash.\n"
    )


def test_a_past_release_must_be_what_its_tree_says_and_lie_in_order(root: Path) -> None:
    first = git("rev-parse", "HEAD", folder=root).strip()
    _release(root, "0.2.0")
    _entry(root, "Later.")

    with pytest.raises(Refused, match=r"is not 0\.1\.5: copier\.yml says 0\.1\.0, 0\.1\.0, and should say"):
        _past(root, "0.1.5", first)
    with pytest.raises(Refused, match="--at: nowhere is no commit of main"):
        _past(root, "0.1.0", "nowhere")
    with pytest.raises(Refused, match=r"released already"):
        _past(root, "0.2.0", "HEAD")
    assert _past(root, "0.1.0", first).commit == first

    _write(root, "pyproject.toml", 'version = "0.1.7"\n')
    for path in ("copier.yml", "templates/till/cookiecutter.json"):
        _write(root, path, (root / path).read_text().replace("v0.2.0", "v0.1.7"))
    back = _commit(root, "a lower version after a higher one")
    with pytest.raises(Refused, match=r"0\.1\.7: 0\.2\.0 was released before it; versions go up"):
        _past(root, "0.1.7", back)
