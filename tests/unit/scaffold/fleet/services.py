"""Services of a fleet, made in a moment: one is rendered, the others are copies with edits of their own."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from pathlib import Path

from tests.unit.scaffold.upgrade.world import World, changed, edit, lines, settings

branch = "paypath/upgrade-v1.1.0"


def make_fleet(world: World, number: int, conflicts: Collection[int] = ()) -> list[Path]:
    """Return *number* services of v1.0.0, each with an edit; those in *conflicts* where v1.1.0 has one."""
    first = world.service("model")
    services = []
    for position in range(number):
        folder = world.root / "fleet" / f"till-{position:02}"
        shutil.copytree(first, folder, symlinks=True)
        ours = {"mine.txt": f"line of team {position}\n"}
        if position in conflicts:
            ours["settings.py"] = changed(settings, "setting_5 = 5", f"setting_5 = 'team {position}'")
        edit(folder, ours)
        services.append(folder)
    return services


def release(world: World, **files: str) -> str:
    """Release v1.1.0, which changes a line of two files."""
    return world.release(
        "v1.1.0",
        {
            "README.md": changed(lines, "line 3", "LINE 3"),
            "settings.py": changed(settings, "setting_5 = 5", "setting_5 = 'theirs'"),
            **files,
        },
    )
