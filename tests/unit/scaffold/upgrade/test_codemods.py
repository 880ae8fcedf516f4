"""Codemods on samples: what is meant is changed, what only looks alike is not."""

from __future__ import annotations

import pytest

from paypath.scaffold.upgrade import UpgradeError
from paypath.scaffold.upgrade.codemods import changed_text, concerned
from paypath.scaffold.upgrade.migrations import Migration, migrated_answers, parse_migrations

moved = Migration(id="moved", imports={"lib.http.client": "lib.clients.make_client"})


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("from lib.http import client\nclient()\n", "from lib.clients import make_client\nmake_client()\n"),
        (
            "from lib.http import client as c  # why\nc()\n",
            "from lib.clients import make_client as c  # why\nc()\n",
        ),
        (
            "from lib.http import client, other\nclient(other)\n",
            "from lib.http import other\nfrom lib.clients import make_client\nmake_client(other)\n",
        ),
        (
            "from lib.http import (\n    a,  # first\n    client,\n    z,\n)\nclient()\n",
            (
                "from lib.http import (\n    a,  # first\n    z,\n)\n"
                "from lib.clients import make_client\nmake_client()\n"
            ),
        ),
        (
            "from __future__ import annotations\nimport lib.http\nlib.http.client()\n",
            (
                "from __future__ import annotations\nimport lib.clients\nimport lib.http\n"
                "lib.clients.make_client()\n"
            ),
        ),
        (
            "from lib import http\nhttp.client()\n",
            "import lib.clients\nfrom lib import http\nlib.clients.make_client()\n",
        ),
    ],
)
def test_an_import_and_its_uses_go_to_the_new_place(before: str, after: str) -> None:
    assert changed_text("a.py", before, moved, "shop") == after


@pytest.mark.parametrize(
    "text",
    [
        "client = 1\nprint(client)\n",
        "from other.http import client\nclient()\n",
        "import lib.http\nself.client()\n",
        "def client(): ...\nclient()\n",
        "from .http import client\nclient()\n",
        "x = 'lib.http.client'\n",
        "this is ( no python client\n",
    ],
)
def test_what_only_looks_alike_is_left(text: str) -> None:
    assert changed_text("a.py", text, moved, "shop") == text


def test_a_name_that_a_function_hides_is_left() -> None:
    text = "from lib.http import client\n\n\ndef f(client):\n    return client()\n"

    assert changed_text("a.py", text, moved, "shop").endswith("def f(client):\n    return client()\n")


def test_a_whole_module_can_move() -> None:
    migration = Migration(id="module", imports={"lib.http": "lib.web"})
    before = (
        "import lib.http\nimport lib.http as h\nfrom lib.http import a\nfrom lib import http\n"
        "lib.http.b(h, a, http)\n"
    )

    assert changed_text("a.py", before, migration, None) == (
        "import lib.web\nimport lib.web as h\nfrom lib.web import a\nfrom lib import web\nlib.web.b(h, a, "
        "web)\n"
    )


def test_an_argument_is_renamed_in_calls_of_what_is_meant() -> None:
    migration = Migration(id="argument", arguments={"lib.http.client": {"timeout": "read_timeout"}})
    before = "from lib.http import client\nclient(1, timeout=2)\nother(timeout=3)\nx.client(timeout=4)\n"

    assert changed_text("a.py", before, migration, None) == before.replace(
        "client(1, timeout", "client(1, read_timeout"
    )


def test_an_argument_is_renamed_whether_or_not_the_call_was_moved_by_the_same_migration() -> None:
    migration = Migration(
        id="both",
        imports={"lib.http.client": "lib.clients.client"},
        arguments={"lib.clients.client": {"timeout": "read_timeout"}},
    )

    assert changed_text("a.py", "from lib.http import client\nclient(timeout=1)\n", migration, None) == (
        "from lib.clients import client\nclient(read_timeout=1)\n"
    )


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        (
            "config.toml",
            "[http]\ntimeout = 5  # s\n[db]\ntimeout = 1\n",
            "[http]\nread_timeout = 5  # s\n[db]\ntimeout = 1\n",
        ),
        ("config.toml", "http.timeout = 5\n", "http.read_timeout = 5\n"),
        (
            ".env.example",
            "SHOP_HTTP_TIMEOUT=5\nTILL_HTTP_TIMEOUT=5\n",
            "SHOP_HTTP_READ_TIMEOUT=5\nTILL_HTTP_TIMEOUT=5\n",
        ),
        ("compose.yml", "SHOP_HTTP_TIMEOUT_MS: 1\n", "SHOP_HTTP_TIMEOUT_MS: 1\n"),
        ("Makefile", "serve --http.timeout 5\n", "serve --http.read_timeout 5\n"),
        ("README.md", "Set `http.timeout`.\n", "Set `http.read_timeout`.\n"),
        (
            "wiring.py",
            "use(settings.http.timeout, http.timeout)\n",
            "use(settings.http.read_timeout, http.timeout)\n",
        ),
        ("pyproject.toml", "[http]\ntimeout = 5\n", "[http]\ntimeout = 5\n"),
    ],
)
def test_a_setting_has_its_new_name_wherever_a_service_names_it(path: str, before: str, after: str) -> None:
    migration = Migration(id="setting", settings={"http.timeout": "http.read_timeout"})

    assert changed_text(path, before, migration, "shop") == after
    assert before == after or concerned(before, migration, "shop")


def test_a_codemod_run_twice_changes_nothing_more() -> None:
    migration = Migration(id="all", imports=moved.imports, settings={"http.timeout": "http.read_timeout"})
    once = changed_text("a.py", "from lib.http import client\nclient(s.http.timeout)\n", migration, "shop")

    assert changed_text("a.py", once, migration, "shop") == once


def test_answers_are_carried_in_the_order_of_the_migrations() -> None:
    migrations = parse_migrations(
        "- id: a\n  answers: {renamed: {name: title}}\n"
        "- id: b\n  answers: {renamed: {title: heading}, values: {size: {1: small}}, removed: {old: gone}}\n",
        "migrations.yml",
    )

    assert migrated_answers({"name": "Till", "size": 1, "old": "x"}, migrations) == {
        "heading": "Till",
        "size": "small",
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id: a\n", "m: is no list of migrations"),
        ("- why: x\n", "m: entry 1: has no id"),
        ("- id: a\n- id: a\n", "m: the id a is there twice"),
        ("- id: a\n  import: {}\n", r'm: entry 1 \(a\): knows no import; did you mean "imports"\?'),
        ("- id: a\n  answers: {rename: {}}\n", r'answers: knows no rename; did you mean "renamed"\?'),
        ("- id: a\n  imports: [x]\n", r"imports: \['x'\] is no mapping"),
        ("- id: [\n", "m: no readable YAML"),
    ],
)
def test_a_migration_that_says_something_else_is_refused(text: str, message: str) -> None:
    with pytest.raises(UpgradeError, match=message):
        parse_migrations(text, "m")
