"""A process that cannot be configured ends with one report and exit code 78, as sysexits.h names it."""

import os
import subprocess
import sys
from pathlib import Path

program = """
from platform_lib.config import Dsn, Secret, Settings, load_or_exit

class ShopSettings(Settings, prefix="SHOP"):
    database: Dsn
    key: Secret
    port: int = 8080

settings = load_or_exit(ShopSettings)
print(settings.port, settings.key, settings.database)
"""


def run(directory: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-X", "dev", "-c", program],
        cwd=directory,
        env={"PATH": os.environ["PATH"], **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_process_without_its_settings_exits_78_with_a_report_and_no_traceback(tmp_path: Path) -> None:
    ended = run(tmp_path, SHOP_PORT="eighty", SHOP_KEY="hunter2", SHOP_DATABASE="hunter2")

    assert ended.returncode == 78
    assert ended.stdout == ""
    assert ended.stderr == (
        "ShopSettings: the configuration cannot be used, 2 mistakes:\n"
        "  database: the value (not shown, it is secret) is not valid\n"
        "    found in SHOP_DATABASE (environment)\n"
        "    expected a URL such as postgresql://user:password@host:5432/name\n"
        "  port: 'eighty' is not valid\n"
        "    found in SHOP_PORT (environment)\n"
        "    expected an integer\n"
    )


def test_a_process_with_its_settings_runs_on(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "SHOP_KEY").write_text("hunter2\n")

    ended = run(tmp_path, SHOP_DATABASE="postgresql://a:hunter2@b/c", SHOP_SECRETS_DIR="secrets")

    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == "8080 *** postgresql://a:***@b/c\n"


def test_loading_settings_needs_neither_a_web_framework_nor_the_telemetry_sdk(tmp_path: Path) -> None:
    code = "import sys, platform_lib.config, platform_lib.redaction; print(*sys.modules)"
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
    )

    loaded = set(ended.stdout.split())
    assert "pydantic" in loaded
    assert not {
        name for name in loaded if name.split(".")[0] in {"fastapi", "starlette", "uvicorn", "asyncpg"}
    }
    assert "opentelemetry.sdk" not in loaded
