"""Law 4: no provider call inside an open database transaction; a lost reply is unknown, never failed."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.laws.source import Breach, dotted, modules, plant, report, repository

opens_a_transaction = re.compile(r"(^|\.)(transaction|begin)$")
calls_a_provider = re.compile(
    r"(^|[._])(provider|processor|psp|acquirer)s?\.\w+$|(^|[._])http\w*\.(request|get|post|put|delete)$"
)
says_failed = re.compile(r"fail|declin|refus", re.IGNORECASE)


def breaches_of_provider_calls(root: Path) -> list[Breach]:
    found: list[Breach] = []
    for module in modules(root):
        if "tests" in module.path.parts:
            continue
        for node in ast.walk(module.tree):
            if isinstance(node, ast.AsyncWith | ast.With) and any(
                opens_a_transaction.search(dotted(item.context_expr)) for item in node.items
            ):
                found.extend(
                    module.breach(
                        call,
                        f"{dotted(call.func)}() inside a transaction: a slow provider holds locks, a crash "
                        "forgets the call; commit the intent first, call, then record the result",
                    )
                    for call in ast.walk(node)
                    if isinstance(call, ast.Call)
                    and calls_a_provider.search(dotted(call.func))
                    and not module.opted_out(call, 4)
                )
            if (
                isinstance(node, ast.ExceptHandler)
                and node.type
                and "UnknownOutcome" in ast.unparse(node.type)
            ):
                found.extend(
                    module.breach(
                        inner,
                        "a lost reply is called failed; the provider may have done the work: record unknown",
                    )
                    for inner in ast.walk(ast.Module(body=node.body, type_ignores=[]))
                    if isinstance(inner, ast.Name | ast.Attribute)
                    and says_failed.search(dotted(inner).rsplit(".", 1)[-1])
                    and not module.opted_out(inner, 4)
                )
    return found


def test_no_provider_is_called_inside_a_transaction_and_no_lost_reply_fails() -> None:
    breaches = breaches_of_provider_calls(repository)
    assert not breaches, report(breaches)


@pytest.mark.parametrize(
    "body",
    [
        "    async with self.database.transaction() as connection:\n        await self.provider.capture(1)\n",
        "    async with database.transaction():\n        await self._http.request('POST', '/v1')\n",
        "    try:\n        pass\n    except UnknownOutcome:\n        return Outcome.FAILED\n",
        "    try:\n        pass\n    except (OSError, e.UnknownOutcome):\n        return decline(1)\n",
    ],
)
def test_a_provider_call_in_a_transaction_or_a_lost_reply_that_fails_is_found(
    tmp_path: Path, body: str
) -> None:
    plant(tmp_path, "payments/use_cases.py", f"async def capture(self, database):\n{body}")

    assert breaches_of_provider_calls(tmp_path)
