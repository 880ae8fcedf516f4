"""What counts as lost in an upgrade."""

from __future__ import annotations

import pytest

from paypath.template_ci.keeping import Files, lost

_generated: Files = {"a.py": b"one\ntwo\n", "b.py": b"b\n"}


def _lost(team: Files, upgraded: Files, **more: object) -> list[str]:
    known: dict[str, object] = {"renamed": {}, "moved": {}, "asked": (), **more}
    return lost(_generated, team, upgraded, **known)  # type: ignore[arg-type]


def test_a_template_may_change_and_delete_what_the_team_left_alone() -> None:
    assert _lost({**_generated}, {"a.py": b"1\n"}) == []


@pytest.mark.parametrize(
    ("team", "upgraded", "words"),
    [
        ({"a.py": b"one\ntwo\nours\n"}, {"a.py": b"one\n2\n"}, "a.py: lost the team's line: ours"),
        ({"a.py": b"one\nours\n"}, {}, "a.py: the team changed it, and it is gone"),
        ({"new.py": b"ours\n"}, {}, "new.py: the team changed it, and it is gone"),
        ({"new.py": b"x\nx\n"}, {"new.py": b"x\n"}, "new.py: lost the team's line: x"),
    ],
)
def test_a_line_of_the_team_that_is_gone_is_lost(team: dict[str, bytes], upgraded: Files, words: str) -> None:
    assert _lost({**_generated, **team}, {"b.py": b"b\n", **upgraded}) == [words]


def test_a_file_that_the_team_deleted_and_that_is_back_is_told() -> None:
    assert _lost({"b.py": b"b\n"}, _generated) == ["a.py: the team took it away, and it is back"]


def test_edits_are_looked_for_where_the_file_moved() -> None:
    team = {"a.py": b"one\ntwo\nours\n", "b.py": b"b\n"}

    assert _lost(team, {"c.py": b"1\nours\n", "b.py": b"b\n"}, moved={"a.py": "c.py"}) == []
    assert _lost(team, {"c.py": b"1\n", "b.py": b"b\n"}, moved={"a.py": "c.py"}) == [
        "a.py: lost the team's line: ours"
    ]


def test_in_a_file_that_the_team_renamed_its_own_lines_count_and_not_the_templates() -> None:
    team = {"own.py": b"one\ntwo\nours\n", "b.py": b"b\n"}

    assert _lost(team, {"own.py": b"1\ntwo\nours\n", "b.py": b"b\n"}, renamed={"own.py": "a.py"}) == []
    assert _lost(team, {"own.py": b"1\ntwo\n", "b.py": b"b\n"}, renamed={"own.py": "a.py"}) == [
        "own.py: lost the team's line: ours"
    ]


def test_where_the_upgrade_asks_nothing_is_lost_yet() -> None:
    assert _lost({"a.py": b"ours\n", "b.py": b"b\n"}, {"b.py": b"b\n"}, asked=("a.py",)) == []
