"""The store of renders, which all processes of a fleet share."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from paypath.scaffold.git import git
from paypath.scaffold.upgrade.renders import Renders


def test_whoever_is_first_makes_the_store_and_the_others_find_it_whole(tmp_path: Path) -> None:
    crowd = 8
    for number in range(6):
        folder = tmp_path / str(number)
        folder.mkdir()
        together = Barrier(crowd)

        def opened(_: int, folder: Path = folder, together: Barrier = together) -> str:
            together.wait()
            return git("rev-parse", "--is-bare-repository", folder=Renders(folder).objects.parent)

        with ThreadPoolExecutor(crowd) as threads:
            assert set(threads.map(opened, range(crowd))) == {"true\n"}
        assert [left.name for left in folder.iterdir()] == ["store.git"]
