"""The core costs a worker no framework, no SDK and no server."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("package", ["platform_lib.health", "platform_lib.service"])
def test_importing_the_core_loads_no_framework_no_sdk_and_no_server(package: str) -> None:
    program = (
        f"import sys, {package}\n"
        "heavy = ('fastapi', 'starlette', 'uvicorn', 'uvloop', 'opentelemetry.sdk')\n"
        "print(sorted(name for name in sys.modules if name in heavy))"
    )

    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)

    assert done.stdout.strip() == "[]"
