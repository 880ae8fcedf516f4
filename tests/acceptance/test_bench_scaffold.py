"""The bench of the scaffold runs; what it finds is for a machine with nothing else to do."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.history import needs_history

root = Path(__file__).parents[2]


@needs_history
@pytest.mark.timeout(300)
def test_a_fleet_is_upgraded_as_copier_upgrades_it() -> None:
    done = subprocess.run(
        [sys.executable, "bench/scaffold", "--only", "applies", "--services", "1", "--fleet-rounds", "1"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert (found["services"], found["copier_timed"], found["differences"]) == (1, 1, 0)
