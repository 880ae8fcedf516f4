"""Whose a file is, as the list in a service says."""

from __future__ import annotations

from pathlib import Path

import pytest

from paypath.scaffold import ScaffoldError, ownership, ownership_file
from tests.unit.scaffold.conftest import write


def test_a_listed_file_is_the_teams_seeded_or_the_platforms(tmp_path: Path) -> None:
    write(
        tmp_path,
        {ownership_file: 'platform = ["Makefile"]\nseeded = ["README.md"]\nteam = ["src/a.py", "b.sql"]\n'},
    )

    assert ownership(tmp_path) == {
        "Makefile": "platform",
        "README.md": "seeded",
        "src/a.py": "team",
        "b.sql": "team",
    }


def test_a_service_from_before_the_list_has_no_owners(tmp_path: Path) -> None:
    assert ownership(tmp_path) == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("platform = [", "is no TOML"),
        ('platform = "Makefile"', "platform is no list of paths"),
        ("team = [1]", "team is no list of paths"),
        ('others = ["Makefile"]', r"knows \['others'\]; a file is team, seeded, platform"),
        (
            'team = ["Makefile"]\nplatform = ["Makefile"]',
            "lists Makefile twice, as team and as platform",
        ),
    ],
)
def test_a_list_that_cannot_be_believed_is_told(tmp_path: Path, text: str, message: str) -> None:
    write(tmp_path, {ownership_file: text})

    with pytest.raises(ScaffoldError, match=rf"ownership\.toml.*{message}"):
        ownership(tmp_path)
