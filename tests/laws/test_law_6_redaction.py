"""Law 6: secrets and card numbers are redacted before they are stored or sent, not when shown."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.laws.source import Breach, calls, modules, plant, report, repository

leaves_the_process = re.compile(
    r"(^|\.)(log|logger|_log|_logger|logging)\.(debug|info|warning|error|exception|critical)$|"
    r"\.(set_attribute|set_attributes|add_event|set_status)$|(^|\.)(echo|print)$"
)


def breaches_of_redaction(root: Path) -> list[Breach]:
    found = []
    for module in modules(root):
        if "tests" in module.path.parts or module.path.parts[0] == "bench":
            continue
        for call, name in calls(module):
            if module.opted_out(call, 6):
                continue
            if name.endswith(".record_exception"):
                found.append(
                    module.breach(
                        call,
                        "record_exception() sends the message and stack as they are; set error.type instead",
                    )
                )
            if leaves_the_process.search(name) and _reveals(call):
                found.append(
                    module.breach(
                        call,
                        f"{name}() is given a revealed secret; pass the Secret itself, which masks",
                    )
                )
            if re.search(r"\.(set_attribute|set_status)$|(^|\.)Status$", name) and _stringifies_an_error(
                call
            ):
                found.append(
                    module.breach(
                        call,
                        "an exception's text goes to a span and may carry a card number: send its type",
                    )
                )
    return found


def _reveals(call: ast.Call) -> bool:
    return any(
        isinstance(part, ast.Attribute) and part.attr in {"reveal", "all_versions", "get_secret_value"}
        for argument in [*call.args, *(keyword.value for keyword in call.keywords)]
        for part in ast.walk(argument)
    )


def _stringifies_an_error(call: ast.Call) -> bool:
    return any(
        isinstance(part, ast.Call)
        and isinstance(part.func, ast.Name)
        and part.func.id in {"str", "repr"}
        and part.args
        and isinstance(part.args[0], ast.Name)
        and re.fullmatch(r"e|err|error|exc|exception|problem|failure", part.args[0].id)
        for argument in [*call.args, *(keyword.value for keyword in call.keywords)]
        for part in ast.walk(argument)
    )


def test_nothing_secret_leaves_unredacted() -> None:
    breaches = breaches_of_redaction(repository)
    assert not breaches, report(breaches)


@pytest.mark.parametrize(
    "line",
    [
        "log.info('key %s', settings.api_key.reveal())",
        "span.set_attribute('error', str(error))",
        "span.record_exception(error)",
        "print(secret.all_versions())",
        "span.set_status(Status(StatusCode.ERROR, str(exc)))",
    ],
)
def test_a_leak_is_found(tmp_path: Path, line: str) -> None:
    assert breaches_of_redaction(plant(tmp_path, "platform_lib/telemetry/leak.py", line + "\n"))
