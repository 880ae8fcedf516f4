"""The committed description of the API is the one that the service gives."""

import json
from pathlib import Path

import pytest

from card_connector.__main__ import main

COMMITTED = Path(__file__).parents[2] / "openapi.json"


def test_the_committed_description_is_current(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["openapi"]) == 0

    assert json.loads(COMMITTED.read_text()) == json.loads(capsys.readouterr().out), "run `make openapi`"
