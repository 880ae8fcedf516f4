"""The answers file of a service: what was asked when it was made, and of which template version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from paypath.scaffold.upgrade.errors import NoService


@dataclass(frozen=True, slots=True)
class Answers:
    """An answers file.

    Attributes:
        version: the template version, as ``_commit`` says.
        source: where the template is, as ``_src_path`` says.
        given: the answer to each question.
        text: the file.
    """

    version: str
    source: str
    given: Mapping[str, Any]
    text: str


def read_answers(text: str, where: str) -> Answers:
    """Return what the answers file *text* says; *where* names it in messages.

    Raises:
        NoService: it is no answers file.
    """
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise NoService(f"{where}: no readable YAML; mend it by hand ({_first_line(error)})") from error
    if not isinstance(document, dict):
        raise NoService(f"{where}: holds no answers; bring the service in with `paypath adopt`")
    for key in ("_commit", "_src_path"):
        if document.get(key) in (None, ""):
            raise NoService(
                f"{where}: names no {key}, so nobody knows its template; find it with `paypath adopt`"
            )
    return Answers(
        version=str(document["_commit"]),
        source=str(document["_src_path"]),
        given={str(name): value for name, value in document.items() if not str(name).startswith("_")},
        text=text,
    )


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
