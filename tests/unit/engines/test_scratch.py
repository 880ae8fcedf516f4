"""Temporary folders and who may remove them."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from platform_lib.engines import scratch_folder


@pytest.fixture(autouse=True)
def _temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_a_folder_is_there_while_it_is_used_and_gone_after() -> None:
    with scratch_folder("one") as folder:
        (folder / "file").write_text("data")
        assert folder.is_dir()

    assert not folder.exists()


def test_a_folder_in_use_survives_the_start_of_another() -> None:
    with scratch_folder("one") as one, scratch_folder("other"):
        assert one.is_dir()


def test_a_folder_without_owner_is_removed_at_the_next_start(tmp_path: Path) -> None:
    left = tmp_path / "paypath-engine-postgres-abc"
    (left / "data").mkdir(parents=True)

    with scratch_folder("one"):
        assert not left.exists()


def test_starts_at_the_same_time_leave_each_other_their_folders() -> None:
    """Each looks for folders without owner while others have theirs created and not yet locked."""

    def start(_: int) -> bool:
        with scratch_folder("one") as folder:
            (folder / "file").write_text("data")
            with scratch_folder("other"):
                return (folder / "file").exists()

    with ThreadPoolExecutor(max_workers=16) as threads:
        assert all(threads.map(start, range(400)))


def test_what_a_link_of_that_name_points_to_is_left_alone(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (tmp_path / "paypath-engine-link").symlink_to(precious)

    with scratch_folder("one"):
        assert precious.is_dir()


def test_other_folders_are_left_alone(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()

    with scratch_folder("one"):
        assert other.is_dir()
