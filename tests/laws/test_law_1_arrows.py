"""Law 1: `platform_lib` never imports `paypath`; inside it, arrows point one way; its core stays light."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.laws.source import Breach, imports, modules, plant, report, repository

# Lower may not import higher. Names on one level may import each other only in the order written.
levels = [
    ["errors", "clock", "ids", "redaction", "money", "strict_json"],
    ["config"],
    ["telemetry", "health"],
    ["service"],
    ["clients"],
    ["events"],
    ["payments", "migrations", "security", "frameworks"],
    ["sandbox", "engines"],
    ["testing"],
]
rank = {name: level for level, names in enumerate(levels) for name in names}
lowest = levels[0][0]
core = ["errors", "clock", "ids", "redaction", "money", "strict_json", "config", "health", "service"]
too_heavy_for_the_core = ["fastapi", "starlette", "opentelemetry.sdk", "uvicorn", "asyncpg", "httpx2", "nats"]


def breaches_of_the_arrows(root: Path) -> list[Breach]:
    found = []
    for module in modules(root):
        parts = module.name.split(".")
        if parts[0] != "platform_lib":
            continue
        own = parts[1] if len(parts) > 1 else None
        if own == "__main__":
            continue  # the commands stand above everything; nothing can import them
        if own is not None and own.startswith("_"):
            own = lowest  # a private module beside the single-file modules serves those
        if own is not None and own not in rank:
            found.append(
                Breach(
                    str(module.path), 1, f"platform_lib.{own} has no level; add it to `levels` in this test"
                )
            )
            continue
        for node, name in imports(module):
            target = name.split(".")
            if target[0] == "paypath":
                found.append(
                    module.breach(
                        node,
                        "platform_lib imports paypath; a service must run without the tool: move it down",
                    )
                )
            if (
                target[0] == "platform_lib"
                and own is not None
                and len(target) > 1
                and target[1] in rank
                and rank[target[1]] > rank[own]
            ):
                found.append(
                    module.breach(
                        node,
                        f"platform_lib.{own} imports platform_lib.{target[1]}, which stands above it; "
                        "pass it in, or move the shared part down",
                    )
                )
    return list(dict.fromkeys(found))


def test_the_arrows_of_the_library_point_one_way() -> None:
    breaches = breaches_of_the_arrows(repository)
    assert not breaches, report(breaches)


@pytest.mark.parametrize(
    ("path", "text", "words"),
    [
        ("platform_lib/config/load.py", "from platform_lib.service import Service\n", "stands above it"),
        ("platform_lib/errors.py", "import platform_lib.testing.plugin\n", "stands above it"),
        ("platform_lib/events/nats.py", "from platform_lib import payments\n", "stands above it"),
        ("platform_lib/service/serve.py", "import paypath.scaffold\n", "imports paypath"),
        ("platform_lib/misc/stuff.py", "x = 1\n", "has no level"),
    ],
)
def test_an_arrow_the_wrong_way_is_found(tmp_path: Path, path: str, text: str, words: str) -> None:
    breaches = breaches_of_the_arrows(plant(tmp_path, path, text))

    assert len(breaches) == 1
    assert words in breaches[0].message


def loaded_by_importing(name: str, environment: dict[str, str] | None = None) -> list[str]:
    program = (
        "import sys\n"
        f"import {name}\n"
        f"heavy = {too_heavy_for_the_core!r}\n"
        "print(*sorted({h for h in heavy for m in sys.modules if m == h or m.startswith(h + '.')}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, env=environment
    )
    return done.stdout.split()


@pytest.mark.parametrize("name", core)
def test_the_core_loads_no_framework_and_no_sdk(name: str) -> None:
    assert loaded_by_importing(f"platform_lib.{name}") == []


def test_a_core_module_that_loads_a_framework_is_found(tmp_path: Path) -> None:
    plant(tmp_path, "innocent.py", "import starlette.applications\n")

    assert loaded_by_importing("innocent", {"PYTHONPATH": str(tmp_path)}) == ["starlette"]
