"""The commands as an operator meets them: on an empty database, on none, with dead letters."""

import asyncio
from dataclasses import replace
from importlib.resources import files

import pytest
from platform_lib.testing import Databases
from sender import Sender

from {{ cookiecutter.package }} import migrations
from {{ cookiecutter.package }}.__main__ import main
from {{ cookiecutter.package }}.adapters.payment_events import UnreadableEvent
from {{ cookiecutter.package }}.settings import WorkerSettings
from {{ cookiecutter.package }}.wiring import Wired

PREFIX = "{{ cookiecutter.package | upper }}"


def leave_empty(url: str) -> None:
    """Prepare nothing."""


def test_migrating_again_changes_nothing(
    databases: Databases, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(f"{PREFIX}_DATABASE_URL", databases.create(leave_empty))

    said = []
    for _ in range(2):
        assert main(["migrate"]) == 0
        said.append(capsys.readouterr().out)

    steps = [step.name for step in (files(migrations) / "versions").iterdir()]
    revisions = sorted(step.partition("_")[0] for step in steps if step.endswith(".py"))
    assert said == [f"migrated: {', '.join(revisions)}\n", "migrated: nothing to do\n"]


@pytest.mark.parametrize("command", ["serve", "migrate", "replay"])
def test_settings_may_follow_the_command(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(f"{PREFIX}_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")

    with pytest.raises(SystemExit) as stopped:
        main([command, "--http.port", "none"])

    assert stopped.value.code == 78
    assert "found in --http.port (command line)" in capsys.readouterr().err


async def test_dead_letters_are_handled_again_and_those_that_fail_stay(
    wired: Wired,
    settings: WorkerSettings,
    sender: Sender,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    broken = sender.event(amount=None)
    mended = replace(sender.event(), merchant_id="other")
    async with wired.store.database:
        await wired.consumer.hear(broken)
        await wired.consumer.give_up(mended, UnreadableEvent())
        assert await wired.store.count_buried() == 2
    monkeypatch.setenv(f"{PREFIX}_DATABASE_URL", settings.database.url.reveal())

    exit_codes = [await asyncio.to_thread(main, ["replay"]) for _ in range(2)]

    assert exit_codes == [1, 1]
    assert capsys.readouterr().out.splitlines() == [
        "replayed: 1 handled, 1 failed again",
        "replayed: 0 handled, 1 failed again",
    ]
