"""The connector as it is deployed: it starts without the processor, and takes up rotated keys."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx2
import pytest
from platform_lib.testing import ServiceProcess

from {{ cookiecutter.package }}.__main__ import main
from {{ cookiecutter.package }}.settings import ConnectorSettings

PREFIX = "{{ cookiecutter.package | upper }}"


async def says(process: ServiceProcess, words: str) -> None:
    """Return once the log has *words*; fail after ten seconds."""
    async with asyncio.timeout(10):
        while words not in process.logs():
            await asyncio.sleep(0.02)


async def test_a_hangup_takes_up_rotated_keys_and_refuses_what_may_not_change(
    service_process: Callable[..., Awaitable[ServiceProcess]], settings: ConnectorSettings, tmp_path: Path
) -> None:
    file, secrets = tmp_path / "config.toml", tmp_path / "secrets"
    file.write_text("")
    secrets.mkdir()
    rotated = secrets / f"{PREFIX}_API_KEY"
    rotated.write_text("first")
    process = await service_process(
        "{{ cookiecutter.package }}",
        environment={
            f"{PREFIX}_CONFIG_FILE": str(file),
            f"{PREFIX}_SECRETS_DIR": str(secrets),
            f"{PREFIX}_PROCESSOR_URL": "http://127.0.0.1:9",
            f"{PREFIX}_PROCESSOR_API_KEY": "none",
            f"{PREFIX}_PROCESSOR_WEBHOOK_SECRET": "none",
            f"{PREFIX}_RECEIVER_URL": "http://127.0.0.1:9",
            f"{PREFIX}_RECEIVER_WEBHOOK_SECRET": settings.receiver.webhook_secret.reveal(),
        },
    )

    async def is_refused(key: str) -> bool:
        async with httpx2.AsyncClient(base_url=process.url) as http:
            answer = await http.get("/v1/operations/x", headers={"Authorization": f"Bearer {key}"})
        return answer.status_code == 401

    assert [await is_refused("first"), await is_refused("second")] == [False, True]
    rotated.write_text("second\nfirst")
    process.send(signal.SIGHUP)
    await says(process, "configuration reloaded: api_key; fingerprint ")
    assert [await is_refused("first"), await is_refused("second")] == [False, False]

    file.write_text("[processor]\ntimeout = 5\n")
    process.send(signal.SIGHUP)
    await says(process, "processor.timeout: has a new value, but cannot change while the process runs")


def test_settings_that_are_missing_are_named_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(f"{PREFIX}_API_KEY", raising=False)

    with pytest.raises(SystemExit) as stopped:
        main(["serve"])

    assert stopped.value.code == 78
    assert "processor.url" in capsys.readouterr().err
