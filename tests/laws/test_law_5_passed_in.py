"""Law 5: time, ids and randomness are passed in."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.laws.source import Breach, calls, modules, plant, report, repository

ambient = re.compile(
    r"^(datetime\.(datetime\.)?(now|utcnow|today)|date\.today|time\.(time|time_ns|sleep)|"
    r"(uuid\.)?uuid[147]|random\.\w+|secrets\.\w+|os\.urandom)$"
)
# The two places that turn the machine's time and randomness into something that is passed.
sources = {Path("platform_lib/clock.py"), Path("platform_lib/ids.py")}
watched = ("platform_lib", "paypath", "examples")


def breaches_of_passing_in(root: Path) -> list[Breach]:
    return [
        module.breach(
            call, f"{name}() is ambient; take a Clock, Ids or Random as an argument (or `# law-5: why`)"
        )
        for module in modules(root)
        if module.path.parts[0] in watched and "tests" not in module.path.parts and module.path not in sources
        for call, name in calls(module)
        if ambient.match(name) and not module.opted_out(call, 5)
    ]


def test_time_ids_and_randomness_are_passed_in() -> None:
    breaches = breaches_of_passing_in(repository)
    assert not breaches, report(breaches)


@pytest.mark.parametrize(
    "expression",
    [
        "datetime.now(UTC)",
        "time.time()",
        "uuid.uuid4()",
        "uuid4()",
        "random.random()",
        "secrets.token_hex(8)",
    ],
)
def test_ambient_time_or_randomness_is_found(tmp_path: Path, expression: str) -> None:
    plant(tmp_path, "platform_lib/payments/now.py", f"value = {expression}\n")

    assert len(breaches_of_passing_in(tmp_path)) == 1
