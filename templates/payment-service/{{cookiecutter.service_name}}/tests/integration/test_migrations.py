"""`python -m {{ cookiecutter.package }} migrate` on an empty database."""

import pytest
from platform_lib.testing import Databases

from {{ cookiecutter.package }}.__main__ import main

PREFIX = "{{ cookiecutter.package | upper }}"


def leave_empty(url: str) -> None:
    """Prepare nothing."""


def test_migrating_again_changes_nothing(
    databases: Databases, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = databases.create(leave_empty)
    monkeypatch.setenv(f"{PREFIX}_DATABASE_URL", url)
    monkeypatch.setenv(f"{PREFIX}_PROVIDER_URL", "http://provider.test")
    monkeypatch.setenv(f"{PREFIX}_PROVIDER_API_KEY", "sk_test")
    monkeypatch.setenv(f"{PREFIX}_PROVIDER_WEBHOOK_SECRET", "whsec_" + "A" * 32)

    said = []
    for _ in range(2):
        assert main(["migrate"]) == 0
        said.append(capsys.readouterr().out)

    assert said == ["migrated: 0001\n", "migrated: nothing to do\n"]


def test_times_that_do_not_fit_are_refused_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(f"{PREFIX}_DATABASE_URL", "postgresql://localhost/payments")
    monkeypatch.setenv(f"{PREFIX}_PROVIDER_URL", "http://provider.test")
    monkeypatch.setenv(f"{PREFIX}_PROVIDER_API_KEY", "sk_test")
    monkeypatch.setenv(f"{PREFIX}_PROVIDER_WEBHOOK_SECRET", "whsec_" + "A" * 32)
    monkeypatch.setenv(f"{PREFIX}_SWEEPER_LEASE", "5s")

    with pytest.raises(SystemExit) as stopped:
        main(["serve"])

    assert stopped.value.code == 78
    assert "provider.timeout" in capsys.readouterr().err
