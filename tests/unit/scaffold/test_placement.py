"""A folder appears whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from paypath.scaffold.errors import BadInput, ScaffoldError
from paypath.scaffold.placement import appearing


def _listing(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_nothing_is_there_before_the_block_ends(tmp_path: Path) -> None:
    with appearing(tmp_path / "a" / "b" / "new") as staged:
        (staged / "file").write_text("x")
        assert not (tmp_path / "a/b/new").exists()

    assert _listing(tmp_path) == ["a", "a/b", "a/b/new", "a/b/new/file"]


def test_the_folder_is_made_beside_its_destination(tmp_path: Path) -> None:
    """So a path relative to it stays right, and the move is one rename on one file system."""
    with appearing(tmp_path / "new") as staged:
        assert staged.parent == tmp_path


@pytest.mark.parametrize("end", [RuntimeError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("destination", ["new", "a/b/new", "empty"])
def test_a_block_that_fails_leaves_the_disk_as_it_was(
    tmp_path: Path, destination: str, end: type[BaseException]
) -> None:
    (tmp_path / "empty").mkdir()

    def fail() -> None:
        with appearing(tmp_path / destination) as staged:
            (staged / "file").write_text("x")
            raise end

    with pytest.raises(end):
        fail()

    assert _listing(tmp_path) == ["empty"]


def test_an_empty_folder_is_filled_and_stays_the_same_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`paypath new .`: the shell that stands in it must not stand in a deleted folder afterwards."""
    monkeypatch.chdir(tmp_path)
    before = Path().stat().st_ino

    with appearing(tmp_path) as staged:
        (staged / "sub").mkdir()
        (staged / "sub" / "file").write_text("x")

    assert Path().stat().st_ino == before
    assert _listing(tmp_path) == ["sub", "sub/file"]


def test_the_new_folder_has_the_usual_permissions(tmp_path: Path) -> None:
    (tmp_path / "usual").mkdir()

    with appearing(tmp_path / "new"):
        pass

    assert (tmp_path / "new").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_what_is_there_is_never_touched(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("mine")
    (tmp_path / "file").write_text("mine")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")

    for name, message in (
        ("full", "not empty"),
        ("file", "a file of that name"),
        ("dangling", "a file of that name"),
    ):
        with pytest.raises(BadInput, match=message), appearing(tmp_path / name):
            pass

    assert (tmp_path / "full/file").read_text() == (tmp_path / "file").read_text() == "mine"


def test_what_came_there_meanwhile_is_never_touched(tmp_path: Path) -> None:
    def race() -> None:
        with appearing(tmp_path / "new") as staged:
            (staged / "file").write_text("ours")
            (tmp_path / "new").mkdir()
            (tmp_path / "new" / "file").write_text("theirs")

    with pytest.raises(BadInput, match="not empty"):
        race()

    assert _listing(tmp_path) == ["new", "new/file"]
    assert (tmp_path / "new/file").read_text() == "theirs"


def test_a_parent_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")

    with (
        pytest.raises(ScaffoldError, match=r"file/new: cannot be made \(Not a directory\)"),
        appearing(tmp_path / "file" / "new"),
    ):
        pass
