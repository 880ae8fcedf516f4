"""Named queries: what a file may hold, and how a mistake in it is told."""

from __future__ import annotations

import copy
import sys
from pathlib import Path

import pytest

from platform_lib.clients import Queries, Query
from platform_lib.clients.queries import BadQueries, UnknownQuery

TWO = """\
-- What the payments store asks of the database.

-- name: find_payment
-- The payment of a merchant, whatever its state.
SELECT *
FROM payments
WHERE merchant_id = $1 AND id = $2;

-- name: touch_payment
--   Marks a payment as seen.
-- (a comment of the SQL itself stays)
UPDATE payments SET seen = true WHERE id = $1
"""


def test_a_query_has_its_name_its_description_and_its_sql() -> None:
    queries = Queries.from_text(TWO, "queries.sql")

    assert list(queries) == ["find_payment", "touch_payment"]
    assert queries.find_payment == Query(
        name="find_payment",
        sql="SELECT *\nFROM payments\nWHERE merchant_id = $1 AND id = $2",
        summary="The payment of a merchant, whatever its state.",
    )
    assert queries["touch_payment"].summary == "Marks a payment as seen."


@pytest.mark.parametrize(
    ("sql", "operation"),
    [
        ("SELECT 1", "SELECT"),
        ("  insert into x values (1)", "INSERT"),
        ("-- why\nWITH a AS (SELECT 1) UPDATE x SET y = 1", ""),
        ("(SELECT 1) UNION (SELECT 2)", "SELECT"),
        ("", ""),
    ],
)
def test_the_operation_is_the_first_word_of_the_sql_unless_it_can_hold_several(
    sql: str, operation: str
) -> None:
    assert Query(name="q", sql=sql, summary="s").operation == operation


def test_an_unknown_name_is_told_with_the_names_there_are() -> None:
    queries = Queries.from_text(TWO, "queries.sql")

    with pytest.raises(UnknownQuery) as by_item:
        queries["find_paymnt"]
    with pytest.raises(UnknownQuery) as by_attribute:
        _ = queries.find_paymnt

    assert str(by_item.value) == str(by_attribute.value)
    assert str(by_item.value) == (
        "queries.sql: no query is named find_paymnt; did you mean find_payment? "
        "the names are: find_payment, touch_payment"
    )
    assert queries.get("find_paymnt") is None
    assert not hasattr(queries, "find_paymnt")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SELECT 1\n", "queries.sql:1: SQL before the first `-- name:` line; give it a name"),
        (
            "-- name: a\nSELECT 1\n",
            "queries.sql:1: a has no description; put a line like `-- What it does.` under its name",
        ),
        (
            "-- name: a\n--\nSELECT 1\n",
            "queries.sql:1: a has no description; put a line like `-- What it does.` under its name",
        ),
        (
            "-- name: a\n-- A.\n\n-- only a comment\n",
            "queries.sql:1: a has no SQL; write its statement under the description",
        ),
        (
            "-- name: a\n-- A.\nSELECT 1\n-- name: a\n-- A.\nSELECT 1\n",
            "queries.sql:4: the name a is used twice; rename one of the two",
        ),
        (
            "-- name: Find It\n-- A.\nSELECT 1\n",
            "queries.sql:1: 'Find It' is no query name; use lower-case letters, digits and underscores",
        ),
        (
            "-- name:\n-- A.\nSELECT 1\n",
            "queries.sql:1: '' is no query name; use lower-case letters, digits and underscores",
        ),
        (
            "-- name: items\n-- A.\nSELECT 1\n",
            "queries.sql:1: items is a word that every mapping has; choose another name",
        ),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_to_do(text: str, message: str) -> None:
    with pytest.raises(BadQueries) as caught:
        Queries.from_text(text, "queries.sql")

    assert str(caught.value) == message


def test_a_file_without_queries_is_empty() -> None:
    assert dict(Queries.from_text("-- nothing yet\n", "queries.sql")) == {}


def test_a_file_lies_beside_the_modules_of_its_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "a_store_for_queries"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "queries.sql").write_text(TWO, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))

    assert len(Queries.from_package("a_store_for_queries", "queries.sql")) == 2
    with pytest.raises(BadQueries, match=r"a_store_for_queries/other.sql: no such file"):
        Queries.from_package("a_store_for_queries", "other.sql")
    del sys.modules["a_store_for_queries"]


def test_queries_can_be_copied() -> None:
    queries = Queries.from_text(TWO, "queries.sql")

    assert dict(copy.deepcopy(queries)) == dict(queries)
