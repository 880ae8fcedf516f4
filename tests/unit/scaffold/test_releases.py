"""Released versions: found by tag, and by the record where there are no tags."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from paypath.scaffold import BadInput, ScaffoldError, new, releases
from paypath.scaffold._record import Release, record_file, template_hash, write_record
from paypath.scaffold.git import git
from paypath.scaffold.sources import open_source
from tests.unit.scaffold.conftest import commit, write

_tree = "templates/till/{{cookiecutter.service_name}}"
_day = "2026-01-02"


def _version(checkout: Path, version: str) -> str:
    """Commit *version*, as its own templates name it."""
    text = (checkout / "copier.yml").read_text()
    before = text.partition('default("v')[2].partition('"')[0]
    write(checkout, {"copier.yml": text.replace(f'"v{before}"', f'"v{version}"')})
    write(checkout, {f"{_tree}/colour.txt": f"{{{{ cookiecutter.colour }}}} {version}\n"})
    return commit(checkout, version)


def _recorded(checkout: Path, *commits: tuple[str, str]) -> None:
    write(
        checkout,
        {
            record_file: write_record(
                [
                    Release(
                        version=version, commit=id_, template_hash=template_hash(checkout, id_), date=_day
                    )
                    for version, id_ in commits
                ]
            )
        },
    )
    commit(checkout, "record")


@pytest.fixture
def history(checkout: Path) -> tuple[Path, str, str]:
    """A checkout without tags, 1.0.0 and 1.1.0 recorded, and their commits."""
    first, second = _version(checkout, "1.0.0"), _version(checkout, "1.1.0")
    _recorded(checkout, ("1.1.0", second), ("1.0.0", first))
    write(checkout, {f"{_tree}/colour.txt": "after\n"})
    commit(checkout, "after")
    return checkout, first, second


def test_a_record_is_enough_in_a_checkout_and_in_a_clone(history: tuple[Path, str, str]) -> None:
    checkout, first, second = history

    for source in (str(checkout), f"file://{checkout}/.git"):
        found = releases(source)
        assert [(one.version, one.commit, one.date) for one in found] == [
            ("1.0.0", first, _day),
            ("1.1.0", second, _day),
        ]


@pytest.mark.parametrize("ref", ["v1.0.0", "1.0.0"])
@pytest.mark.parametrize("tagged", [False, True], ids=["record", "record and tag"])
def test_a_release_renders_as_itself_with_and_without_its_tag(
    history: tuple[Path, str, str], tmp_path: Path, ref: str, *, tagged: bool
) -> None:
    checkout, first, _ = history
    if tagged:
        git("tag", "v1.0.0", first, folder=checkout)

    for number, source in enumerate((str(checkout), f"file://{checkout}/.git")):
        made = new(tmp_path / f"new-{number}", source=source, ref=ref, answers={"platform_source": "x"})
        assert made.version == "v1.0.0"
        assert made.source == source
        assert (made.folder / "colour.txt").read_text() == "grey-shop 1.0.0\n"


def test_a_tag_without_an_entry_is_a_release_too(history: tuple[Path, str, str]) -> None:
    checkout, *_ = history
    third = _version(checkout, "1.2.0")
    me = ("-c", "user.name=T", "-c", "user.email=t@localhost")
    git(*me, "tag", "--annotate", "--message", "x", "v1.2.0", folder=checkout)
    git("tag", "v1.3.0rc1", folder=checkout)

    newest = releases(str(checkout))[-1]

    assert (newest.version, newest.commit) == ("1.2.0", third)
    assert newest.template_hash == template_hash(checkout, third)


def test_the_newest_recorded_release_of_a_url_is_its_default(history: tuple[Path, str, str]) -> None:
    checkout, *_ = history

    with open_source(f"file://{checkout}/.git") as source:
        assert source.release is not None
        assert source.release.version == "1.1.0"
        assert source.origin == f"file://{checkout}/.git"


def test_a_history_that_was_written_anew_is_searched_for_the_templates(
    history: tuple[Path, str, str],
) -> None:
    """Whoever lands a branch by rebasing it keeps its files and not its commits."""
    checkout, first, _ = history
    lost = Release(version="1.0.0", commit="0" * 40, template_hash=template_hash(checkout, first), date=_day)
    write(checkout, {record_file: write_record([lost])})
    commit(checkout, "as a rebase leaves it")

    with open_source(str(checkout), ref="v1.0.0") as source:
        assert source.read(f"{_tree}/colour.txt") == "{{ cookiecutter.colour }} 1.0.0\n"


def test_templates_that_are_nowhere_in_the_history_are_told(history: tuple[Path, str, str]) -> None:
    checkout, *_ = history
    gone = Release(version="0.9.0", commit="0" * 40, template_hash="0" * 64, date=_day)
    write(checkout, {record_file: write_record([gone])})
    commit(checkout, "record")

    with (
        pytest.raises(ScaffoldError, match=r"v0\.9\.0: commit 000000000000 is not in .*fetch the whole"),
        open_source(str(checkout), ref="v0.9.0"),
    ):
        pass


def test_a_tag_that_was_moved_is_not_believed(history: tuple[Path, str, str]) -> None:
    checkout, _, second = history
    git("tag", "v1.0.0", second, folder=checkout)

    with (
        pytest.raises(ScaffoldError, match=r"v1\.0\.0: the tag is on .* not the released ones"),
        open_source(str(checkout), ref="v1.0.0"),
    ):
        pass


def test_a_shallow_clone_says_that_it_lacks_the_history(
    history: tuple[Path, str, str], tmp_path: Path
) -> None:
    checkout, *_ = history
    git("clone", "-q", "--depth=1", f"file://{checkout}/.git", str(tmp_path / "shallow"), folder=tmp_path)

    with (
        pytest.raises(ScaffoldError, match="git fetch --unshallow"),
        open_source(str(tmp_path / "shallow"), ref="v1.0.0"),
    ):
        pass


def test_an_unknown_release_is_refused_with_those_that_there_are(history: tuple[Path, str, str]) -> None:
    checkout, *_ = history

    with (
        pytest.raises(BadInput, match=r'there is no v1\.0\.9 .*did you mean "v1\.0\.0"'),
        open_source(str(checkout), ref="v1.0.9"),
    ):
        pass


def test_the_hash_covers_what_renders_and_nothing_else(checkout: Path) -> None:
    before = template_hash(checkout, "HEAD")

    write(checkout, {"templates/README.md": "x", "src/any.py": "x", record_file: '{"releases": []}'})
    commit(checkout, "nothing that renders")
    assert template_hash(checkout, "HEAD") == before

    (checkout / _tree / "colour.txt").chmod(0o755)
    commit(checkout, "a mode")
    assert template_hash(checkout, "HEAD") != before


def test_a_damaged_record_is_told(checkout: Path) -> None:
    write(checkout, {record_file: '{"releases": [{"version": "1.0.0"}]}'})
    commit(checkout, "damage")

    with pytest.raises(ScaffoldError, match=r"templates/releases\.json: no record of releases"):
        releases(str(checkout))


def test_a_folder_without_git_has_no_releases(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "plain")

    assert releases(str(tmp_path / "plain")) == []
