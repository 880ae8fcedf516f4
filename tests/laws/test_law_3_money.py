"""Law 3: money is an integer of minor units and a currency; no float touches it, in code or in SQL."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.laws.source import Breach, calls, files, modules, plant, report, repository

money_words = re.compile(
    r"(^|_)(amount|amounts|minor_units|captured|refunded|authorised|fee|price|balance|total)(_|$)"
)
float_sql = re.compile(
    r"\b(real|double\s+precision|float4|float8|float|money|numeric|decimal)\b", re.IGNORECASE
)
where_money_is_kept = re.compile(
    r"(^|[/.])(money|payments|sandbox|domain|adapters|entrypoints|use_cases)([/.]|$)"
)


def breaches_of_integer_money(root: Path) -> list[Breach]:
    found = []
    for module in modules(root):
        for node in ast.walk(module.tree):
            name, annotation = _named_annotation(node)
            if name and annotation and money_words.search(name) and _says_float(annotation):
                found.append(
                    module.breach(
                        node, f"{name} is a float; money is `Money` or an int of minor units, name it so"
                    )
                )
        if where_money_is_kept.search(str(module.path)) and "tests" not in module.path.parts:
            for call, name in calls(module):
                if name == "float" and not module.opted_out(call, 3):
                    found.append(
                        module.breach(
                            call, "float() where money is kept; use integers, or opt out: `# law-3: why`"
                        )
                    )
    for path in [*files(root, "*.sql"), *files(root, "migrations/versions/*.py")]:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            code = re.sub(r"'[^']*'", "''", line.split("--", 1)[0])  # a message may speak of money
            if float_sql.search(code) and "law-3:" not in line and not line.lstrip().startswith(('"""', "#")):
                found.append(
                    Breach(
                        str(path.relative_to(root)),
                        number,
                        "an inexact SQL type; amounts are bigint minor units",
                    )
                )
    return found


def _named_annotation(node: ast.AST) -> tuple[str, ast.expr | None]:
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return node.target.id, node.annotation
    if isinstance(node, ast.arg):
        return node.arg, node.annotation
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return node.name, node.returns
    return "", None


def _says_float(annotation: ast.expr) -> bool:
    return any(
        isinstance(part, ast.Name) and part.id in {"float", "Decimal"} for part in ast.walk(annotation)
    )


def test_no_float_touches_money() -> None:
    breaches = breaches_of_integer_money(repository)
    assert not breaches, report(breaches)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("payments/domain/refund.py", "def refund(amount: float) -> None: ...\n"),
        (
            "payments/domain/payment.py",
            "class P:\n    captured: 'int | None' = None\n    fee_total: float | None = None\n",
        ),
        ("platform_lib/payments/split.py", "share = float(10) / 3\n"),
        ("payments/queries.sql", "SELECT 1;\nCREATE TABLE t (amount double precision);\n"),
        ("payments/migrations/versions/0002_fee.py", 'ddl = "ALTER TABLE payment ADD fee numeric(10,2)"\n'),
    ],
)
def test_a_float_near_money_is_found(tmp_path: Path, path: str, text: str) -> None:
    assert len(breaches_of_integer_money(plant(tmp_path, path, text))) == 1


def test_an_opt_out_needs_a_reason(tmp_path: Path) -> None:
    plant(
        tmp_path,
        "payments/rate.py",
        "a = float(1)  # law-3: a display ratio, no amount\nb = float(1)  # law-3:\n",
    )

    assert [breach.line for breach in breaches_of_integer_money(tmp_path)] == [2]
