"""Pieces added to a generated service and taken out again: whole, and without a line of the team's lost."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from paypath.scaffold import BadInput, ScaffoldError, new
from paypath.scaffold.git import git
from paypath.scaffold.pieces import DoesNotFit, EditedSince, added, piece_names, pieces, plan_add, plan_remove
from paypath.template_ci.trees import tree
from tests.templates.engines import commit, repository, run
from tests.templates.matrix import root

one_of_each = [
    ("webhook", "acme"),
    ("provider", "acme"),
    ("event", "orders.order.cancelled"),
    ("table", "customer"),
]
two_of_each = [
    *one_of_each,
    ("webhook", "beta-pay"),
    ("provider", "beta"),
    ("event", "orders.order.placed"),
    ("table", "account_note"),
]
_long = "a-name-that-has-as-much-as-fits-"[:31] + "x"
longest = [
    ("webhook", _long),
    ("provider", _long),
    ("event", "orders-of-all-kinds.order.cancelled_by_the_buyer"),
    ("table", _long.replace("-", "_")),
]
_wiring = "src/payments/wiring.py"
_settings = "src/payments/settings.py"


@pytest.fixture
def service(tmp_path: Path) -> Path:
    """The committed example as a service of its own, everything committed."""
    folder = tmp_path / "payments"
    listed = git(
        "ls-files", "-z", "--cached", "--others", "--exclude-standard", folder=root / "examples/payments"
    )
    for name in filter(None, listed.split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / "examples/payments" / name, folder / name)
    return repository(folder)


def _add(service: Path, wanted: Iterable[tuple[str, str]]) -> None:
    for piece, name in wanted:
        plan_add(service, piece, name).apply()
        commit(service, f"Add {piece} {name}")


def _edit(service: Path, path: str, old: str, new_text: str) -> None:
    text = (service / path).read_text()
    assert old in text
    (service / path).write_text(text.replace(old, new_text, 1))


def test_there_is_a_piece_for_what_is_tried_here() -> None:
    assert piece_names() == sorted({piece for piece, _ in one_of_each})
    for piece in pieces():
        assert piece.summary
        assert "payment-service" in piece.kinds


@pytest.mark.parametrize(("piece", "name"), one_of_each)
def test_what_is_added_and_taken_out_leaves_nothing(service: Path, piece: str, name: str) -> None:
    before = tree(service)

    change = plan_add(service, piece, name)
    change.apply()
    there = tree(service)
    assert added(service) == [(piece, name)]
    plan_remove(service, piece, name).apply()

    assert before == tree(service)
    assert added(service) == []
    assert there.keys() > before.keys()
    assert _wiring in change.files


def test_both_are_done_once_however_often_they_are_asked_for(service: Path) -> None:
    for piece, name in one_of_each:
        assert plan_remove(service, piece, name).is_done
    _add(service, one_of_each)
    there = tree(service)

    for piece, name in one_of_each:
        again = plan_add(service, piece, name)
        assert again.is_done
        again.apply()

    assert tree(service) == there


def test_a_plan_writes_nothing(service: Path) -> None:
    before = tree(service)

    plan_add(service, "webhook", "acme").diff()

    assert tree(service) == before


@pytest.mark.parametrize("order", [1, -1], ids=["first in first out", "last in first out"])
def test_many_pieces_live_together_and_leave_in_any_order(service: Path, order: int) -> None:
    before = tree(service)
    _add(service, two_of_each)
    leaving = two_of_each[::order]
    if order == 1:  # a migration leaves before the one that it follows
        leaving = [*reversed([one for one in leaving if one[0] == "table"]), *leaving]

    for piece, name in dict.fromkeys(leaving):
        plan_remove(service, piece, name).apply()
        commit(service, f"Remove {piece} {name}")

    assert tree(service) == before


@pytest.mark.parametrize("answers", [{}, {"service_name": "a-service-for-payments-with-a-long-names"}])
def test_formatter_and_linter_find_nothing_whatever_the_names(
    plain: Path, tmp_path: Path, answers: dict[str, str]
) -> None:
    service = new(tmp_path / "new", source=str(plain), answers=answers, use_git=False).folder
    before = tree(service)
    ruff = Path(sys.executable).with_name("ruff")
    for piece, name in [*longest, *two_of_each]:
        plan_add(service, piece, name).apply()

    run(ruff, "format", "--check", "--diff", "--no-cache", ".", folder=service)
    run(ruff, "check", "--no-cache", ".", folder=service)
    for piece, name in reversed([*longest, *two_of_each]):
        plan_remove(service, piece, name).apply()
    assert tree(service) == before


_kinds = sorted(
    kind
    for kind in {kind for piece in pieces() for kind in piece.kinds}
    if (root / "templates" / kind / "cookiecutter.json").is_file()
)


@pytest.mark.parametrize("kind", _kinds)
@pytest.mark.timeout(900)
def test_a_service_with_every_piece_passes_its_own_checks_and_tests(
    plain: Path, tmp_path: Path, kind: str
) -> None:
    answers = {"kind": kind, "service_name": "card-till", "package": "till_of_cards"}
    service = new(tmp_path / "new", source=str(plain), answers=answers).folder
    fitting = {piece.name for piece in pieces() if kind in piece.kinds}
    _add(service, [one for one in two_of_each if one[0] in fitting])
    described = service / "openapi.json"
    before = described.read_bytes() if described.exists() else None
    environment = (f"VENV={Path(sys.executable).parents[1]}", "READY=1")

    run("make", "check", "test", *environment, folder=service)

    if before is not None:
        # The service is not installed in the platform's environment.
        run("env", "PYTHONPATH=src", "make", "openapi", *environment, folder=service)
        assert described.read_bytes() == before, "what was added is what would be written anew"


def test_a_file_that_was_edited_since_is_kept_and_told(service: Path) -> None:
    _add(service, [("webhook", "acme")])
    path = "src/payments/entrypoints/acme_webhook.py"
    (service / path).write_text((service / path).read_text() + "\nOURS = 1\n")
    commit(service, "ours")
    there = tree(service)

    with pytest.raises(EditedSince, match=rf"{path}: edited since webhook acme was added"):
        plan_remove(service, "webhook", "acme")

    assert tree(service) == there


@pytest.mark.parametrize(
    ("path", "old", "ours"),
    [
        (_wiring, "(settings.acme_webhook, database, clock)", "(None, database, clock)"),
        (_wiring, "            acme_webhook.routes(", "            # ours\n            acme_webhook.routes("),
        (_settings, "acme_webhook: AcmeWebhookSettings | None = None", "acme_webhook: AcmeWebhookSettings"),
        (_settings, "How webhooks of acme are recognised.", "How acme is believed."),
        (_settings, "    secret: Annotated[Secret,", "    # ours\n    secret: Annotated[Secret,"),
        ("openapi.json", '"Hear from acme"', '"Listen to acme"'),
    ],
)  # fmt: skip
def test_wiring_that_was_edited_since_is_kept_and_told(service: Path, path: str, old: str, ours: str) -> None:
    _add(service, [("webhook", "acme")])
    _edit(service, path, old, ours)
    commit(service, "ours")
    there = tree(service)

    with pytest.raises(EditedSince, match=rf"{path}: `.*` is not there as it was added"):
        plan_remove(service, "webhook", "acme")

    assert tree(service) == there


def test_lines_of_the_team_around_a_piece_stay(service: Path) -> None:
    """Statements, imports, list items and comments of theirs, and our lines laid out as they like."""
    _add(service, [("webhook", "acme"), ("provider", "acme"), ("table", "customer")])
    _edit(service, _wiring, "acme_webhook, http,", "acme_webhook, http, ours,")
    _edit(
        service,
        _wiring,
        "            acme_webhook.routes(",
        "            ours.routes(),\n            acme_webhook.routes(",
    )
    _edit(
        service,
        _wiring,
        "with_acme(service, settings.acme, otherwise=provider)",
        "with_acme(\n            service, settings.acme, otherwise=ours.wrap(provider)\n        )",
    )
    _edit(
        service,
        _wiring,
        "customer_table = CustomerTable(database)",
        "customer_table = CustomerTable(database)\n    # Ours.\n    ours.begin(database)",
    )
    _edit(
        service,
        "src/payments/adapters/queries.sql",
        "-- name: add_customer",
        "-- name: ours\n-- Ours.\nSELECT 1;\n\n-- name: add_customer",
    )
    commit(service, "ours")

    for piece, name in (("webhook", "acme"), ("provider", "acme"), ("table", "customer")):
        plan_remove(service, piece, name).apply()
        commit(service, "less")

    wiring = (service / _wiring).read_text()
    for line in (
        "import http, ours,",
        "            ours.routes(),\n",
        "provider=ours.wrap(provider)",
        "    # Ours.\n    ours.begin(database)\n",
    ):
        assert line in wiring
    assert "SELECT 1;" in (service / "src/payments/adapters/queries.sql").read_text()
    for word in ("acme", "customer"):
        assert word not in wiring


def test_uncommitted_work_in_the_way_is_refused(service: Path) -> None:
    _edit(service, _wiring, "# What is ours.", "# What is ours, and more.")
    there = tree(service)

    with pytest.raises(BadInput, match=rf"^{_wiring}: not committed; commit or stash first$"):
        plan_add(service, "webhook", "acme")
    commit(service, "ours")
    _add(service, [("webhook", "acme")])
    _edit(service, _wiring, "and more.", "and much more.")
    with pytest.raises(BadInput, match=rf"^{_wiring}: not committed"):
        plan_remove(service, "webhook", "acme")

    assert there.keys() < tree(service).keys()


def test_what_was_just_added_can_be_taken_out_before_it_is_committed(service: Path) -> None:
    before = tree(service)

    plan_add(service, "webhook", "acme").apply()
    plan_remove(service, "webhook", "acme").apply()

    assert tree(service) == before


@pytest.mark.parametrize(
    ("piece", "name", "message"),
    [
        ("webhok", "acme", 'there is no "webhok"; did you mean "webhook"'),
        ("webhook", "Acme", "is no name for one; give up to 32 characters, lower-case letters"),
        ("webhook", "acme_pay", "is no name for one"),
        ("webhook", "a" * 33, "is no name for one"),
        ("webhook", "../acme", "is no name"),
        ("webhook", "", "is no name for one"),
        ("provider", "import", '"import" is a word of Python itself'),
        ("provider", "list", '"list" is a word of Python itself'),
        ("table", "class", '"class" is a word of Python itself'),
        ("table", "select", '"select" is a word of SQL itself'),
        ("table", "platform_outbox", "begins as tables of the platform do"),
        ("table", "payment", "a migration creates payment already"),
        ("provider", "telemetry", "the platform has settings of that name"),
        ("provider", "database", "the name database is taken there"),
        ("provider", "provider", "the name ProviderSettings is taken there"),
        ("event", "cancelled", "is no name for one; .* its service and its type, dotted"),
        ("event", "payments.payment.captured", "is an event of this service itself"),
        ("provider", "a4111-1111-1111-1111", r"looks like a card number or a secret.*law 6"),
    ],
)
def test_what_cannot_be_called_so_is_refused(service: Path, piece: str, name: str, message: str) -> None:
    before = tree(service)

    with pytest.raises(BadInput, match=message):
        plan_add(service, piece, name)

    assert tree(service) == before


def test_a_kind_that_a_piece_does_not_fit_is_refused(service: Path) -> None:
    _edit(service, ".copier-answers.yml", "kind: payment-service", "kind: till")

    with pytest.raises(BadInput, match="webhook: fits payment-service, and payments is of kind till"):
        plan_add(service, "webhook", "acme")


def test_a_service_of_another_version_is_told_of(service: Path) -> None:
    assert plan_add(service, "webhook", "acme").notes == ()
    _edit(service, ".copier-answers.yml", '_commit: "v', '_commit: "v9')
    commit(service, "another version")

    [note] = plan_add(service, "webhook", "acme").notes

    assert note.startswith("the service is of version 9")
    assert "upgrade the service first" in note


def test_a_folder_that_is_no_service_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"holds no \.copier-answers\.yml, so it is no generated service"):
        plan_add(tmp_path, "webhook", "acme")
    (tmp_path / ".copier-answers.yml").write_text("package: x\n")
    with pytest.raises(BadInput, match="does not say kind"):
        plan_remove(tmp_path, "webhook", "acme")


def test_code_without_the_place_for_a_piece_is_told_what_belongs_there(service: Path) -> None:
    _edit(service, _wiring, "app = create_app(", "app = create_our_app(")
    commit(service, "ours")

    with pytest.raises(
        DoesNotFit, match=r"0 calls of create_app\(\) where one is expected, to hold `acme_webhook\.routes"
    ):
        plan_add(service, "webhook", "acme")
    (service / _wiring).write_text("def wire(:\n")
    with pytest.raises(DoesNotFit, match=rf"{_wiring}:1: .*mend that first"):
        plan_add(service, "event", "orders.order.placed")


def test_a_path_that_is_taken_is_refused(service: Path) -> None:
    (service / "tests/e2e/test_acme_webhook.py").write_text("ours = 1\n")

    with pytest.raises(
        DoesNotFit, match=r"tests/e2e/test_acme_webhook\.py: is there already, as something else"
    ):
        plan_add(service, "webhook", "acme")


def test_a_migration_that_another_follows_is_not_taken_out(service: Path) -> None:
    _add(service, [("table", "customer"), ("table", "account")])

    with pytest.raises(BadInput, match=r"0002_customer\.py: migration 0003 follows it; take that out first"):
        plan_remove(service, "table", "customer")


def test_a_file_that_changed_meanwhile_is_not_written(service: Path) -> None:
    change = plan_add(service, "webhook", "acme")
    _edit(service, _wiring, "# What is ours.", "# Ours.")
    there = tree(service)

    with pytest.raises(BadInput, match=rf"{_wiring}: changed meanwhile; begin again"):
        change.apply()

    assert tree(service) == there


def test_a_write_that_fails_leaves_everything_as_it_was(
    service: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tree(service)
    change = plan_add(service, "webhook", "acme")
    replace = Path.replace

    def full(self: Path, target: Path) -> Path:
        if target.name == "wiring.py":
            raise OSError(28, "No space left on device")
        return replace(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full)
        with pytest.raises(ScaffoldError, match=r"wiring\.py: cannot be written \(No space left"):
            change.apply()

    assert tree(service) == before


def test_the_entry_says_what_was_added_by_whom(service: Path) -> None:
    plan_add(service, "event", "orders.order.placed").apply()

    entry = json.loads((service / ".paypath/pieces/event/orders.order.placed.json").read_text())
    assert set(entry) == {"paypath", "files", "edits"}
    assert list(entry["files"]) == [
        "src/payments/entrypoints/on_orders_order_placed.py",
        "tests/integration/test_on_orders_order_placed.py",
    ]
