"""The sandbox's reference page says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from platform_lib import InvalidRequest, ManualClock, NotFound, SequentialIds
from platform_lib.config import Secret
from platform_lib.errors import Fault, Problem
from platform_lib.sandbox import TOKENS, Ledger, SandboxSettings, WebhookSender, refusals, tokens_table
from platform_lib.sandbox.application import create_application
from platform_lib.sandbox.processor import Processor
from platform_lib.sandbox.webhooks import retry_schedule_seconds

page_path = Path(__file__).parents[2] / "docs/reference/sandbox.md"


def page() -> str:
    return page_path.read_text(encoding="utf-8")


def problems_table() -> str:
    """Return the sandbox's problems as a Markdown table."""
    own = [
        one
        for one in vars(refusals).values()
        if isinstance(one, type) and one.__module__ == refusals.__name__
    ]
    kinds: list[type[Problem]] = [InvalidRequest, NotFound, Fault, *own]
    rows = [
        f"| {kind.status} | `{kind.code}` | {kind.title} |"
        for kind in sorted(kinds, key=lambda kind: (kind.status, kind.code))
        if kind is not refusals.OperationRefused
    ]
    return "\n".join(["| status | code | meaning |", "|---|---|---|", *rows])


def retries() -> str:
    """Return the waits between the attempts to deliver a webhook, in words."""
    spelled = [_spell(seconds) for seconds in retry_schedule_seconds[1:]]
    return f"{', '.join(spelled[:-1])} and {spelled[-1]}"


def _spell(seconds: int) -> str:
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def test_the_table_of_tokens_is_the_one_of_the_code() -> None:
    """Each token stands in the table and the other way round; `tokens_table()` returns a fresh one."""
    assert re.findall(r"^\| `(tok_\w+)` \|", page(), re.MULTILINE) == list(TOKENS)
    assert tokens_table() in page()


def test_no_token_is_mentioned_that_does_not_exist() -> None:
    assert set(re.findall(r"`(tok_\w+)`", page())) == set(TOKENS)


def test_every_route_is_documented_and_every_documented_route_exists() -> None:
    clock, ids = ManualClock(), SequentialIds()
    processor = Processor(
        ledger=Ledger(clock=clock, ids=ids),
        webhooks=WebhookSender(clock=clock, ids=ids, secret=None),
        clock=clock,
        slow_seconds=1,
    )
    paths = create_application(processor, Secret("sk_test")).openapi()["paths"]
    served = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}

    documented = set(re.findall(r"^\| `((?:GET|POST|PUT) [^`]+)` \|", page(), re.MULTILINE))
    assert documented == served


def test_the_table_of_problems_is_the_one_of_the_code() -> None:
    assert problems_table() in page()


def test_the_waits_between_attempts_are_those_of_the_code() -> None:
    assert f"tried again after {retries()}," in page()


def test_every_setting_is_documented_and_every_documented_setting_exists() -> None:
    settings = page().split("| setting |")[1].split("\n\n")[0]

    assert re.findall(r"^\| `(\w+)` \|", settings, re.MULTILINE) == list(SandboxSettings.model_fields)
