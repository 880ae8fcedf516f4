"""Settings that change while the service runs."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx2
from platform_lib.testing import ServiceProcess

from {{ cookiecutter.package }}.settings import PaymentsSettings

PREFIX = "{{ cookiecutter.package | upper }}"


async def says(process: ServiceProcess, words: str) -> None:
    """Return once the log has *words*; fail after ten seconds."""
    async with asyncio.timeout(10):
        while words not in process.logs():
            await asyncio.sleep(0.02)


async def test_a_hangup_takes_up_what_may_change_and_refuses_what_may_not(
    service_process: Callable[..., Awaitable[ServiceProcess]], settings: PaymentsSettings, tmp_path: Path
) -> None:
    file, secrets = tmp_path / "config.toml", tmp_path / "secrets"
    file.write_text("")
    secrets.mkdir()
    rotated = secrets / f"{PREFIX}_PROVIDER_API_KEY"
    rotated.write_text(settings.provider.api_key.reveal())
    process = await service_process(
        "{{ cookiecutter.package }}",
        environment={
            f"{PREFIX}_CONFIG_FILE": str(file),
            f"{PREFIX}_SECRETS_DIR": str(secrets),
            f"{PREFIX}_DATABASE_URL": settings.database.url.reveal(),
            f"{PREFIX}_EVENTS_URL": settings.events.url.reveal(),
            f"{PREFIX}_PROVIDER_URL": settings.provider.url,
            f"{PREFIX}_PROVIDER_WEBHOOK_SECRET": settings.provider.webhook_secret.reveal(),
        },
    )

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
