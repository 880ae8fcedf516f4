"""The generated reference pages say what the code does, and the code leaves nothing of it unsaid."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from docs.generators import gaps, pages
from docs.generators.cli import unhelpful
from docs.generators.contracts import unsaid
from docs.generators.library import undocumented
from docs.generators.metrics import meaningless, ungrouped
from docs.generators.problems import ambiguous, unexplained
from docs.generators.settings import undescribed
from docs.generators.spans import unexplained as unexplained_spans
from docs.generators.test_kit import variable_patterns
from platform_lib.config import Settings, environment_variables
from platform_lib.errors import Problem, Refusal
from platform_lib.telemetry._instruments import Metric
from platform_lib.telemetry._span_forms import SpanForm

docs = Path(__file__).parents[2] / "docs"


def generate(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, docs / "generate.py", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", pages)
def test_a_page_is_what_the_code_says_now(name: str) -> None:
    """When it is not: `make reference`."""
    assert (docs / "reference" / name).read_text(encoding="utf-8") == pages[name]()


@pytest.mark.parametrize("name", gaps)
def test_the_code_leaves_nothing_of_a_page_unsaid(name: str) -> None:
    """Every setting, command, option, problem, fixture and public name has a description."""
    assert gaps[name]() == []


@pytest.mark.parametrize("name", pages)
def test_a_page_is_in_the_table_of_contents(name: str) -> None:
    contents = (docs / "index.md").read_text(encoding="utf-8").splitlines()
    assert f"reference/{name.removesuffix('.md')}" in contents


def test_pages_do_not_depend_on_terminal_time_or_hash_order(tmp_path: Path) -> None:
    written = generate(
        "--directory",
        str(tmp_path),
        COLUMNS="40",
        FORCE_COLOR="1",
        LC_ALL="C",
        PAYPATH_ENGINE="embedded",
        PYTHONHASHSEED="7",
        TZ="Pacific/Auckland",
    )

    assert written.returncode == 0, written.stderr
    for name in pages:
        assert (tmp_path / name).read_bytes() == (docs / "reference" / name).read_bytes()


def test_a_check_names_the_stale_page_and_writes_nothing(tmp_path: Path) -> None:
    for name, make in pages.items():
        (tmp_path / name).write_text(make(), encoding="utf-8")
    stale = tmp_path / "settings.md"
    stale.write_text("# Settings\n", encoding="utf-8")

    checked = generate("--check", "--directory", str(tmp_path))

    assert checked.returncode == 1
    assert checked.stderr == "settings.md: the page is not what the code says; run `make reference`\n"
    assert stale.read_text(encoding="utf-8") == "# Settings\n"


def test_a_public_name_without_a_docstring_is_found_where_it_is_defined(tmp_path: Path) -> None:
    package = tmp_path / "shop"
    package.mkdir()
    (package / "__init__.py").write_text(
        "from shop._basket import Basket, Line, Said as Told, add\n"
        "from decimal import Decimal\n"
        '__all__ = ["Basket", "Decimal", "Line", "Told", "add"]\n'
    )
    (package / "_basket.py").write_text(
        'class Basket:\n    """What is bought."""\n\n'
        "Line = tuple[str, int]\n"
        'Said = str\n"""What was said."""\n\n'
        "def add(): ...\n"
    )

    assert undocumented("shop", tmp_path) == [
        "shop.Decimal: the public name has no docstring; add one in shop",
        "shop.Line: the public name has no docstring; add one in shop._basket",
        "shop.add: the public name has no docstring; add one in shop._basket",
    ]


def test_a_method_a_unit_and_an_error_that_are_not_said_are_found(tmp_path: Path) -> None:
    package = tmp_path / "shop"
    package.mkdir()
    (package / "__init__.py").write_text(
        'from shop._till import Till, open_till\n__all__ = ["Till", "open_till"]\n'
    )
    (package / "_till.py").write_text(
        'class Till:\n    """Takes money; ValueError if there is none."""\n\n'
        "    def __init__(self, coins):\n        raise ValueError(coins)\n\n"
        '    def close(self, timeout: float):\n        """Close it."""\n        raise TimeoutError\n\n'
        '    def lock(self, timeout: float):\n        """Lock it within *timeout* seconds."""\n\n'
        "    def count(self): ...\n\n"
        'def open_till(max_size, wait_seconds):\n    """Open it."""\n'
    )

    assert unsaid("shop", tmp_path) == [
        "shop._till.Till.close: the unit of timeout is not said; say it in the docstring, or in the name",
        "shop._till.Till.close: TimeoutError is raised and not said; add it to the docstring",
        "shop._till.Till.count: the public method has no docstring; add one",
        "shop._till.open_till: the unit of max_size is not said; say it in the docstring, or in the name",
    ]


def test_a_command_or_option_without_help_is_found() -> None:
    @click.group(help="Sell.")
    def shop() -> None: ...

    @shop.command()
    @click.option("--many")
    @click.option("--few", help="Sell few.")
    def sell(many: str, few: str) -> None: ...

    assert unhelpful(shop, "shop") == [
        "shop sell: the command has no help; give it a docstring",
        "shop sell --many: the option has no help; pass help=",
    ]


def test_a_setting_without_a_description_is_found() -> None:
    class ShopSettings(Settings, prefix="SHOP"):
        currency: str = "EUR"
        """What prices are in."""

        country: str = "DE"

    assert undescribed(environment_variables(ShopSettings)) == [
        "country: the setting has no description; add a docstring under the field"
    ]


def test_a_problem_without_a_meaning_or_with_the_code_of_another_one_is_found() -> None:
    class SoldOut(Refusal):
        """Nothing is left."""

        code = "sold_out"

    class Closed(Problem):
        code = "sold_out"

    assert [complaint.partition(": ")[2] for complaint in unexplained([SoldOut, Closed])] == [
        "the problem has no docstring; add one"
    ]
    assert len(ambiguous([SoldOut, Closed])) == 1
    assert ambiguous([SoldOut, Refusal]) == []


def test_a_metric_or_span_with_something_unsaid_is_found() -> None:
    metric = Metric("shop.sales", "counter", "1", "Sales.", "the shop", "platform", required=("colour",))
    form = SpanForm("A sale", "sell", "INTERNAL", "shop.sell", "platform", required=("colour",))

    assert ungrouped([metric]) == [
        "shop.sales: the metric is in no part of the page; add its prefix in docs/generators/metrics.py"
    ]
    assert meaningless([metric]) == [
        "shop.sales: the attribute colour has no meaning; add one in telemetry/_attributes.py"
    ]
    assert unexplained_spans([form]) == [
        "A sale: the attribute colour has no meaning; add one in telemetry/_attributes.py"
    ]


def test_a_variable_of_the_test_kit_is_found_even_if_its_name_is_computed(tmp_path: Path) -> None:
    (tmp_path / "kit.py").write_text(
        'read("PAYPATH_PACE")\nread(f"PAYPATH_{resource.upper()}_URL")\nsay(f"PAYPATH_PACE={pace}: slow")\n'
    )

    assert list(variable_patterns(tmp_path)) == ["PAYPATH_PACE", "PAYPATH_[A-Z]+_URL"]
