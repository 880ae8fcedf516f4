"""Settings that change while the service runs."""

import asyncio
import signal
from pathlib import Path

import httpx2
import pytest
from merchant import KEYS
from platform_lib.security import new_key
from platform_lib.testing import ServiceProcess, StartService

from {{ cookiecutter.package }}.settings import PaymentsSettings

PREFIX = "{{ cookiecutter.package | upper }}"


async def says(process: ServiceProcess, words: str) -> None:
    """Return once the log has *words*; fail after ten seconds."""
    async with asyncio.timeout(10):
        while words not in process.logs():
            await asyncio.sleep(0.02)


@pytest.fixture
def variables(settings: PaymentsSettings, tmp_path: Path) -> dict[str, str]:
    """What every process here is started with; the file and the folder are empty."""
    file, secrets = tmp_path / "config.toml", tmp_path / "secrets"
    file.write_text("")
    secrets.mkdir()
    return {
        f"{PREFIX}_CONFIG_FILE": str(file),
        f"{PREFIX}_SECRETS_DIR": str(secrets),
        f"{PREFIX}_DATABASE_URL": settings.database.url.reveal(),
        f"{PREFIX}_EVENTS_URL": settings.events.url.reveal(),
        f"{PREFIX}_PROVIDER_URL": settings.provider.url,
        f"{PREFIX}_PROVIDER_WEBHOOK_SECRET": settings.provider.webhook_secret.reveal(),
    }


async def test_a_hangup_takes_up_what_may_change_and_refuses_what_may_not(
    service_process: StartService,
    settings: PaymentsSettings,
    variables: dict[str, str],
    tmp_path: Path,
) -> None:
    file, rotated = tmp_path / "config.toml", tmp_path / "secrets" / f"{PREFIX}_PROVIDER_API_KEY"
    rotated.write_text(settings.provider.api_key.reveal())
    process = await service_process("{{ cookiecutter.package }}", environment=variables)

    file.write_text('[telemetry]\nlog_level = "DEBUG"\n')
    rotated.write_text("sk_rotated_key")
    process.send(signal.SIGHUP)
    await says(process, "configuration reloaded: telemetry.log_level, provider.api_key; fingerprint ")

    file.write_text("[http]\nmax_body_bytes = 5\n")
    process.send(signal.SIGHUP)
    await says(process, "http.max_body_bytes: has a new value, but cannot change while the process runs")

    async with httpx2.AsyncClient(base_url=process.url) as http:
        assert (await http.get("/livez")).is_success
    assert "sk_rotated_key" not in process.logs()


async def test_a_merchant_s_new_key_is_taken_up_and_a_revoked_one_opens_nothing(
    service_process: StartService, settings: PaymentsSettings, variables: dict[str, str], tmp_path: Path
) -> None:
    old, new = KEYS["acme"], new_key("acme", mode="test")
    file = tmp_path / "config.toml"
    file.write_text(f'[merchants]\nkeys = ["{old.stored}"]\n')
    variables[f"{PREFIX}_PROVIDER_API_KEY"] = settings.provider.api_key.reveal()
    process = await service_process("{{ cookiecutter.package }}", environment=variables)

    async with httpx2.AsyncClient(base_url=process.url) as http:

        async def statuses() -> list[int]:
            sent = [{"Authorization": f"Bearer {made.key}"} for made in (old, new)]
            return [(await http.get("/v1/payments", headers=headers)).status_code for headers in sent]

        assert await statuses() == [200, 401]
        for kept, expected in (((old, new), [200, 200]), ((new,), [401, 200])):
            file.write_text(f"[merchants]\nkeys = {[str(made.stored) for made in kept]}\n")
            reloads = process.logs().count("configuration reloaded: merchants.keys")
            process.send(signal.SIGHUP)
            async with asyncio.timeout(10):
                while process.logs().count("configuration reloaded: merchants.keys") == reloads:
                    await asyncio.sleep(0.02)
            assert await statuses() == expected
