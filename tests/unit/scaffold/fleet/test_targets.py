"""Which services are meant, and how large waves are."""

from __future__ import annotations

from pathlib import Path

import pytest

from paypath.scaffold.fleet import BadFleet, Order, read_targets
from paypath.scaffold.fleet.orders import wave_sizes


def test_folders_urls_lists_and_standard_input_name_services_each_once(tmp_path: Path) -> None:
    for name in ("one", "two", "lists/three"):
        (tmp_path / name).mkdir(parents=True)
    url = "https://git.example.org/acme/four.git"
    (tmp_path / "lists/all.txt").write_text(f"# ours\n\nthree\n../one/\n{url}\n")

    words = [str(tmp_path / "one"), str(tmp_path / "lists/all.txt"), "-"]
    targets = read_targets(words, [f"{tmp_path}/two\n", f"{url}\n"])

    places = [str(tmp_path / "one"), str(tmp_path / "lists/three"), url, str(tmp_path / "two")]
    assert [target.place for target in targets] == places
    assert [target.label for target in targets] == ["0001-one", "0002-three", "0003-four", "0004-two"]


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("nowhere", "nowhere: there is no such folder or list"),
        ("list.txt", "list.txt, line 2: gone is no folder"),
        ("https://ada:secret@git.example.org/four.git", "leave it to git's credential helper"),
        ("empty.txt", "name no service"),
    ],
)
def test_what_names_no_service_is_refused_before_anything_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, word: str, told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "list.txt").write_text("\ngone\n")
    (tmp_path / "empty.txt").write_text("# nobody\n")

    with pytest.raises(BadFleet, match=told) as refused:
        read_targets([word])
    assert "secret" not in str(refused.value)


def test_waves_are_numbers_shares_rounded_up_and_all() -> None:
    assert wave_sizes("1, 5%, all", 30) == [1, 2, 30]
    for waves in ("0,all", "5 percent,all", "", "1.5%,all"):
        with pytest.raises(BadFleet, match="is no wave"):
            wave_sizes(waves, 30)


def test_an_order_tells_what_is_asked_otherwise() -> None:
    order = Order(to="v1.1.0", push=True)

    assert order.differences({"to": "v1.1.0", "push": True}) == []
    assert order.differences({"to": "v2.0.0"}) == ["to: was v1.1.0, is now v2.0.0"]
