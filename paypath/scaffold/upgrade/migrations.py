"""What a service needs beyond the merge: declared by the template as data, run by us.

A template says it in `templates/migrations.yml` (or `migrations.yml` where it has no folder of that name),
a list,
oldest first. An upgrade runs the entries that the new version has and the old one had not, by their ids::

    - id: read-timeout
      why: The client has a timeout for each attempt.
      kinds: [payment-service]             # all kinds, where left out
      answers:
        renamed: {name: service_name}      # the answer goes along
        values: {currency: {GBP: EUR}}     # this answer means that one now
        removed: {colour: Services have no colour.}
      files:
        src/{package}/old.py: src/{package}/new.py
      imports:
        platform_lib.http.http_client: platform_lib.clients.http_client
      arguments:
        platform_lib.clients.http_client: {timeout: read_timeout}
      settings:
        http.timeout: http.read_timeout
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from paypath.scaffold.errors import did_you_mean
from paypath.scaffold.upgrade.errors import UpgradeError
from paypath.scaffold.upgrade.versions import TemplateVersion

_places = ("templates/migrations.yml", "migrations.yml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One entry.

    Attributes:
        id: its name, never used again.
        why: one sentence for the service's team.
        kinds: the kinds of service that it is for; all of them if empty.
        renamed: answers by old question, with the new one.
        values: by question, what an answer becomes.
        removed: questions that nobody asks any more, and why.
        files: paths that the template renamed, `{package}` and other answers in braces.
        imports: dotted names in the service's code that are somewhere else now.
        arguments: by dotted name of what is called, keyword arguments that are called something else now.
        settings: settings that are called something else now.
    """

    id: str
    why: str = ""
    kinds: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    removed: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    imports: Mapping[str, str] = field(default_factory=dict)
    arguments: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def changes_code(self) -> bool:
        """Whether it is a codemod: it changes the service's own files."""
        return bool(self.imports or self.arguments or self.settings)


_answers_keys = ("renamed", "values", "removed")
_keys = ("id", "why", "kinds", "answers", "files", "imports", "arguments", "settings")


def migrations_between(old: TemplateVersion, new: TemplateVersion, kind: str | None) -> list[Migration]:
    """Return what *new* declares for services of *kind* and *old* did not, in the order of the file.

    Raises:
        UpgradeError: the file says something else than what the module's docstring describes.
    """
    known = {migration.id for migration in _declared(old)}
    return [
        migration
        for migration in _declared(new)
        if migration.id not in known and (not migration.kinds or kind in migration.kinds)
    ]


def parse_migrations(text: str, where: str) -> list[Migration]:
    """Return the migrations that the YAML *text* declares; *where* names it in messages.

    Raises:
        UpgradeError: it declares something else.
    """
    try:
        entries = yaml.safe_load(text) or []
    except yaml.YAMLError as error:
        raise UpgradeError(f"{where}: no readable YAML; {error}") from error
    if not isinstance(entries, list):
        raise UpgradeError(f"{where}: is no list of migrations; begin each with `- id:`")
    found = [_parsed(entry, f"{where}: entry {number}") for number, entry in enumerate(entries, 1)]
    ids = [migration.id for migration in found]
    for name in ids:
        if ids.count(name) > 1:
            raise UpgradeError(f"{where}: the id {name} is there twice; an id is never used again")
    return found


def migrated_answers(answers: Mapping[str, Any], migrations: Sequence[Migration]) -> dict[str, Any]:
    """Return *answers* as *migrations* carry them to the new version's questions."""
    carried = dict(answers)
    for migration in migrations:
        for question in migration.removed:
            carried.pop(question, None)
        for old, new in migration.renamed.items():
            if old in carried:
                carried[new] = carried.pop(old)
        for question, values in migration.values.items():
            if question in carried:
                carried[question] = values.get(str(carried[question]), carried[question])
    return carried


def _declared(version: TemplateVersion) -> list[Migration]:
    for place in _places:
        file = version.folder / place
        if file.is_file():
            return parse_migrations(file.read_text(encoding="utf-8"), f"{place} at {version.name}")
    return []


def _parsed(entry: Any, where: str) -> Migration:
    if not isinstance(entry, dict) or not isinstance(entry.get("id"), str):
        raise UpgradeError(f"{where}: has no id; give it one, such as `id: read-timeout`")
    where = f"{where} ({entry['id']})"
    _only(entry, _keys, where)
    answers = _mapping(entry.get("answers"), f"{where}: answers")
    _only(answers, _answers_keys, f"{where}: answers")
    return Migration(
        id=entry["id"],
        why=str(entry.get("why", "")),
        kinds=tuple(map(str, entry.get("kinds") or ())),
        renamed=_words(answers.get("renamed"), f"{where}: renamed"),
        values={
            question: {_word(old): new for old, new in _mapping(values, f"{where}: values").items()}
            for question, values in _mapping(answers.get("values"), f"{where}: values").items()
        },
        removed=_words(answers.get("removed"), f"{where}: removed"),
        files=_words(entry.get("files"), f"{where}: files"),
        imports=_words(entry.get("imports"), f"{where}: imports"),
        arguments={
            called: _words(names, f"{where}: arguments")
            for called, names in _mapping(entry.get("arguments"), f"{where}: arguments").items()
        },
        settings=_words(entry.get("settings"), f"{where}: settings"),
    )


def _only(entry: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    for key in entry:
        if key not in known:
            raise UpgradeError(f"{where}: knows no {key}; {did_you_mean(str(key), known)}")


def _mapping(given: Any, where: str) -> Mapping[str, Any]:
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise UpgradeError(f"{where}: {given!r} is no mapping; write `old: new`")
    return {_word(key): value for key, value in given.items()}


def _words(given: Any, where: str) -> dict[str, str]:
    return {key: _word(value) for key, value in _mapping(given, where).items()}


def _word(value: Any) -> str:
    return str(value)
