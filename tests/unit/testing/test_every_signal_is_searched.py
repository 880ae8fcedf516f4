"""The control of the whole search: planted in each signal, a canary is found there; else it is nowhere.

What is planted is a password, which has no form by which redaction could know it, where nothing guards it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from opentelemetry import metrics as api
from opentelemetry import trace

from platform_lib.__main__ import main
from platform_lib.errors import Refusal
from platform_lib.testing import Canaries, NoSecret

_module = """\
from platform_lib.config import Secret, Settings


class ShopSettings(Settings, prefix="SHOP"):
    '''One setting that should have been a secret, and one that is.'''

    note: str = ""
    key: Secret
"""


@pytest.fixture
def config_print(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[], str]:
    (tmp_path / "shop_of_signals.py").write_text(_module)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("SHOP_KEY", Canaries().dsn_password)

    def print_it() -> str:
        assert main(["config", "print", "--settings", "shop_of_signals:ShopSettings"]) == 0
        return capsys.readouterr().out

    return print_it


def log(secret: str) -> None:
    logging.getLogger("shop").warning("asked with %s", secret)


def trace_it(secret: str) -> None:
    trace.get_tracer("shop").start_span("ask", attributes={"with": secret}).end()


def measure(secret: str) -> None:
    api.get_meter("shop").create_counter("shop.questions").add(1, {"with": secret})


@pytest.mark.parametrize(
    ("plant", "place"),
    [
        (log, r"logs, line \d+"),
        (trace_it, "spans: ask, attribute with"),
        (measure, "metrics: shop.questions, attribute with"),
    ],
)
async def test_what_is_planted_in_a_signal_is_found_there(
    plant: Callable[[str], None], place: str, canaries: Canaries, assert_no_secret: NoSecret
) -> None:
    plant("nothing in here")
    await assert_no_secret()

    plant(canaries.dsn_password)

    with pytest.raises(AssertionError, match="leaked") as caught:
        await assert_no_secret()
    assert re.search(f"dsn_password in {place}: ", str(caught.value))


async def test_what_is_planted_in_an_error_is_found_there(
    canaries: Canaries, assert_no_secret: NoSecret
) -> None:
    await assert_no_secret(error=Refusal("wrong"))

    with pytest.raises(AssertionError, match="dsn_password in error, problem: "):
        await assert_no_secret(error=Refusal(f"{canaries.dsn_password} is wrong"))


async def test_what_is_planted_in_the_configuration_is_found_where_it_is_shown(
    canaries: Canaries,
    assert_no_secret: NoSecret,
    config_print: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As a secret it is masked; as a plain setting it shows."""
    await assert_no_secret(dump=config_print())

    monkeypatch.setenv("SHOP_NOTE", canaries.dsn_password)
    monkeypatch.setenv("SHOP_KEY", "another")  # a value that is a secret anywhere is masked everywhere

    with pytest.raises(AssertionError, match="dsn_password in dump: "):
        await assert_no_secret(dump=config_print())
