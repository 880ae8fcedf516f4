"""The build hook that puts the releases into a wheel; a script, so it is no module that can be imported."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType


def load_hook() -> ModuleType:
    path = Path(__file__).parents[3] / "scripts" / "carry_releases.py"
    spec = importlib.util.spec_from_file_location("carry_releases", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
