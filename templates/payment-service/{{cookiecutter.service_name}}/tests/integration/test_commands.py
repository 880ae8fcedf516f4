"""The commands as an operator meets them: on an empty database, on none, on settings that do not fit."""

from importlib.resources import files

import pytest
from platform_lib.testing import Databases

from {{ cookiecutter.package }} import migrations
from {{ cookiecutter.package }}.__main__ import main

PREFIX = "{{ cookiecutter.package | upper }}"


def leave_empty(url: str) -> None:
    """Prepare nothing."""


@pytest.fixture(autouse=True)
def configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PREFIX}_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/payments")
    monkeypatch.setenv(f"{PREFIX}_PROVIDER_URL", "http://provider.test")
    monkeypatch.setenv(f"{PREFIX}_PROVIDER_API_KEY", "sk_test")
    monkeypatch.setenv(f"{PREFIX}_PROVIDER_WEBHOOK_SECRET", "whsec_" + "A" * 32)


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


def test_migrating_without_a_database_is_one_message() -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["migrate"])

    assert str(stopped.value.code).startswith("cannot migrate: ")
    assert "127.0.0.1:1" in str(stopped.value.code)


def test_times_that_do_not_fit_are_refused_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(f"{PREFIX}_SWEEPER_LEASE", "5s")

    with pytest.raises(SystemExit) as stopped:
        main(["serve"])

    assert stopped.value.code == 78
    assert "provider.timeout" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["serve", "migrate"])
def test_settings_may_follow_the_command(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([command, "--http.port", "none"])

    assert stopped.value.code == 78
    assert "found in --http.port (command line)" in capsys.readouterr().err
