"""The small service of `serving_app` and the generated payment service, each as a process of its own."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from signal import Signals

import httpx2

from platform_lib.engines import Child, free_port

root = Path(__file__).parents[3]
serving_app = root / "tests" / "integration" / "serving_app.py"
payments_source = root / "examples" / "payments" / "src"
patience_seconds = 60.0


def environment(**variables: str) -> dict[str, str]:
    """Return this process's variables without what would configure a service, plus *variables*."""
    foreign = ("OTEL_", "PAYMENTS_", "SHOP_", "PG")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return {**kept, "PYTHONPATH": os.pathsep.join([str(payments_source), str(root)]), **variables}


def migrate_payments(url: str) -> None:
    """Run the payment service's own migrations."""
    given = {
        "PAYMENTS_DATABASE_URL": url,
        "PAYMENTS_PROVIDER_URL": "http://localhost",
        "PAYMENTS_PROVIDER_API_KEY": "none",
        "PAYMENTS_PROVIDER_WEBHOOK_SECRET": "whsec_" + "A" * 32,
    }
    command = [sys.executable, "-m", "payments", "migrate"]
    subprocess.run(command, env=environment(**given), check=True, capture_output=True)


@dataclass
class Running:
    """A service that listens on `port`; its log is in `log`."""

    child: Child
    port: int
    stopped_after: float = field(default=0.0, init=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def until_ready(self) -> None:
        give_up = time.monotonic() + patience_seconds
        async with httpx2.AsyncClient() as http:
            while time.monotonic() < give_up and self.child.poll() is None:
                try:
                    if (await http.get(f"{self.url}/readyz")).status_code == httpx2.codes.OK:
                        return
                except httpx2.TransportError:
                    pass  # not listening yet
                await asyncio.sleep(0.02)
        raise AssertionError(f"not ready:\n{self.child.output()}")

    async def stop(self) -> int:
        """Send SIGTERM and return the exit status; `stopped_after` then holds how long that took, in s."""
        began = time.monotonic()
        status = await asyncio.to_thread(self.child.stop, Signals.SIGTERM, timeout=patience_seconds)
        self.stopped_after = time.monotonic() - began
        return status


def run(arguments: list[str], prefix: str, log: Path, variables: Mapping[str, str]) -> Running:
    """Start a program that serves."""
    port = free_port()
    given = {f"{prefix}_HTTP_PORT": str(port), "PYTHONUNBUFFERED": "1", **variables}
    return Running(Child([sys.executable, *arguments], log=log, environment=environment(**given)), port)
