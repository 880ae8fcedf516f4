"""Names of pieces: which are refused, and what is made of one."""

from __future__ import annotations

import builtins
import keyword
import re

from paypath.scaffold.errors import BadInput
from paypath.scaffold.pieces._catalogue import Piece
from paypath.scaffold.pieces._service import Service
from platform_lib.redaction import redact


def variables(piece: Piece, name: str, service: Service) -> dict[str, str]:
    """Return what the templates of *piece* can use, for a piece called *name*.

    Raises:
        BadInput: nothing can be called so, or something else is already.
    """
    _require_name(piece, name)
    snake = re.sub(r"[^a-z0-9]", "_", name)
    values = {
        **service.answers,
        "name": name,
        "snake": snake,
        "dashed": snake.replace("_", "-"),
        "words": snake.replace("_", " "),
        "camel": "".join(part.capitalize() for part in snake.split("_")),
        "settings_class": service.settings_class(),
    }
    if piece.name == "table":
        values |= _table(name, service)
    if piece.name == "event" and name.partition(".")[0] == service.answers["service_name"]:
        raise BadInput(f"{name}: is an event of this service itself; name one of another service")
    if piece.settings_field:
        _require_free_setting(name, snake)
    return values


def _require_name(piece: Piece, name: str) -> None:
    rule = piece.name_rule
    if not re.fullmatch(rule["pattern"], name) or len(name) > rule["most"]:
        raise BadInput(
            f'{piece.name}: "{name}" is no name for one; give up to {rule["most"]} characters, '
            f'{rule["says"]}, such as "{rule["example"]}"'
        )
    if name in rule.get("taken", "").split():
        raise BadInput(f'{piece.name}: "{name}" is {rule["taken_as"]}; choose another name')
    word = name.replace("-", "_")
    if keyword.iskeyword(word) or keyword.issoftkeyword(word) or hasattr(builtins, word):
        raise BadInput(f'{piece.name}: "{name}" is a word of Python itself; choose another name')
    if redact(name) != name:
        raise BadInput(
            f"{piece.name}: the name looks like a card number or a secret, and it would be stored and logged "
            "(law 6); choose another"
        )


def _require_free_setting(name: str, field: str) -> None:
    from platform_lib.service import ServiceSettings  # noqa: PLC0415  # pydantic takes its time

    if field in ServiceSettings.model_fields or hasattr(ServiceSettings, field):
        raise BadInput(f"{name}: the platform has settings of that name; choose another")


def _table(name: str, service: Service) -> dict[str, str]:
    if name.startswith(("platform_", "pg_", "alembic_")):
        raise BadInput(f"table: {name} begins as tables of the platform do; choose another name")
    revisions = service.revisions()
    if service.has_table(name):
        raise BadInput(f"table: a migration creates {name} already; choose another name")
    before = set(revisions.values())
    heads = [revision for revision in revisions if revision not in before]
    if len(heads) != 1:
        raise BadInput(
            f"table: the migrations have {len(heads)} ends ({', '.join(heads) or 'none'}), and a new one "
            "follows one; mend that first"
        )
    numbers = [int(revision) for revision in revisions if revision.isdecimal()]
    return {"revision": f"{max(numbers, default=0) + 1:04}", "down_revision": heads[0]}
