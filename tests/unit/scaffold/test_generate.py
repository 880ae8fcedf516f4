"""A new service, from the question which kind to its first commit."""

from __future__ import annotations

from pathlib import Path

import pytest

from paypath.scaffold import BadInput, ScaffoldError, new
from paypath.scaffold.git import git
from tests.unit.scaffold.conftest import commit, write

_tree = "templates/till/{{cookiecutter.service_name}}"


def test_a_service_is_told_as_it_is(checkout: Path, tmp_path: Path) -> None:
    made = new(tmp_path / "new", source=str(checkout), answers={"colour": "red"})

    assert made.folder == tmp_path / "new"
    assert made.kind == "till"
    assert made.answers == {
        "kind": "till",
        "service_name": "shop",
        "colour": "red",
        "platform_source": str(checkout),
    }
    assert made.defaulted == ("service_name",)
    assert made.version == git("rev-parse", "--short", "HEAD", folder=checkout).strip()
    assert made.files == (".copier-answers.yml", "colour.txt")
    assert made.commit == git("rev-parse", "--short", "HEAD", folder=tmp_path / "new").strip()
    assert (
        git("log", "--format=%s", folder=tmp_path / "new").strip()
        == f"Generate shop from till {made.version}"
    )
    assert (made.work_tree, made.notes) == (None, ())


def test_what_is_committed_is_rendered_and_not_what_lies_there(checkout: Path, tmp_path: Path) -> None:
    write(checkout, {f"{_tree}/colour.txt": "changed\n"})

    made = new(tmp_path / "new", source=str(checkout))

    assert (tmp_path / "new/colour.txt").read_text() == "grey-shop\n"
    assert made.notes[0].startswith("1 uncommitted template change is not rendered")
    assert (
        "changed"
        in (new(tmp_path / "other", source=str(checkout), worktree=True).folder / "colour.txt").read_text()
    )


def test_a_service_remembers_the_checkout_and_not_the_snapshot_or_clone(
    checkout: Path, tmp_path: Path
) -> None:
    url = f"file://{checkout}/.git"

    as_is = new(tmp_path / "as-is", source=str(checkout), worktree=True)
    cloned = new(tmp_path / "cloned", source=url)

    assert as_is.answers["platform_source"] == str(checkout)
    assert cloned.answers["platform_source"] == url


def test_an_older_version_can_be_named(checkout: Path, tmp_path: Path) -> None:
    git("tag", "v1.0.0", folder=checkout)
    write(checkout, {f"{_tree}/colour.txt": "changed\n"})
    commit(checkout, "second")

    assert new(tmp_path / "old", source=str(checkout), ref="v1.0.0").version == "v1.0.0"
    assert new(tmp_path / "now", source=str(checkout)).version.startswith("v1.0.0-1-g")


def test_a_service_inside_a_work_tree_is_left_to_it(checkout: Path, tmp_path: Path) -> None:
    git("init", "--quiet", folder=tmp_path)

    made = new(tmp_path / "new", source=str(checkout))

    assert (made.commit, made.work_tree) == (None, tmp_path)
    assert not (tmp_path / "new" / ".git").exists()


def test_git_can_be_left_out(checkout: Path, tmp_path: Path) -> None:
    made = new(tmp_path / "new", source=str(checkout), use_git=False)

    assert (made.commit, made.work_tree) == (None, None)
    assert not (tmp_path / "new" / ".git").exists()


def test_an_invalid_answer_is_refused_in_the_templates_words_and_nothing_is_written(
    checkout: Path, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match=r'^service_name: "Shop" is not lower-case$'):
        new(tmp_path / "deep" / "new", source=str(checkout), answers={"service_name": "Shop"})

    assert not (tmp_path / "deep").exists()


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({f"{_tree}/colour.txt": "{% if %}\n"}, "copier: .*Expected an expression"),
        ({f"{_tree}/colour.txt": "{{ cookiecutter.nothing.at_all }}\n"}, "copier: .* has no attribute"),
        ({"copier.yml": None, "extra": "_tasks: [make]\n"}, "potentially unsafe feature"),
        ({f"{_tree}/.copier-answers.yml": "kind: till\n"}, "leaves out _commit or _src_path"),
    ],
)
def test_a_template_that_fails_leaves_nothing(
    checkout: Path, tmp_path: Path, files: dict[str, str | None], message: str
) -> None:
    configuration = (checkout / "copier.yml").read_text()
    extra = files.pop("extra", "")
    files = {name: text if text is not None else f"{extra}{configuration}" for name, text in files.items()}
    write(checkout, {name: text for name, text in files.items() if text})

    with pytest.raises(ScaffoldError, match=message):
        new(tmp_path / "new", source=str(checkout), worktree=True)

    assert not list(tmp_path.glob("*new*"))


def test_the_users_own_copier_settings_have_no_say(checkout: Path, tmp_path: Path, nobody: Path) -> None:
    """A service must not depend on who generated it."""
    write(nobody, {".config/copier/settings.yml": "defaults:\n  colour: pink\n"})

    assert new(tmp_path / "new", source=str(checkout)).answers["colour"] == "grey-shop"
