"""`settings.md`: every setting of a payment service."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any, get_args

from docs.generators.markdown import code, document, prose, table
from docs.generators.sources import public_name, service_module
from platform_lib.config import Section, Settings, Variable, environment_variables

_intro = """\
# Settings

Every setting of a payment service as `paypath new` makes it, with the names that the service `payments` has.
A service of another name has its own prefix in place of `PAYMENTS`.

A value comes from the last of these places that has it:

1. the default;
2. the TOML file that `{prefix}_CONFIG_FILE` names, or `config.toml` in the working directory, where the setting `http.port` is `port` in the table `[http]`;
3. `.env` in the working directory, in development only;
4. the directory that `{prefix}_SECRETS_DIR` names, with one file for each variable;
5. the environment;
6. the command line, as in `serve --http.port 8081`; a secret is refused there, since other processes can read it.

A duration is a number of seconds, or numbers with units: `250ms`, `5s`, `2m`, `1h30m`, `7d`.
A size is a number of bytes, or one with a unit: `512KiB` and `10MiB` by powers of 1024, `10MB` by powers of 1000.
A share of a whole is a number from 0 to 1, or a percentage: `0.05`, `5%`.
A secret is masked wherever it is shown; several versions of one, a line each, are all accepted while it is rotated.
A variable that is unknown, a value that does not fit, and a setting that is missing are reported together, and the process exits with 78.

{count} settings have no default and must be set: {required}."""  # noqa: E501  # one sentence a line

_head = ("setting", "variable", "type", "default", "secret", "meaning")
_example = re.compile(r" such as .*?(?=, (?:from|at least|at most|more than|less than)|$)")
_pattern = re.compile(r"matching (\S+)$")
_units = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))
_numbers = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")


def page() -> str:
    """Return the page."""
    settings_type = _settings_type()
    variables = environment_variables(settings_type)
    required = [code(variable.name) for variable in variables if variable.default is None]
    blocks = [
        _intro.format(
            prefix=settings_type.variable_prefix,
            count=_numbers[len(required)] if len(required) < len(_numbers) else len(required),
            required=", ".join(required),
        )
    ]
    for group, members in groupby(variables, _group):
        blocks += [_heading(settings_type, group), table(_head, map(_row, members))]
    return document(*blocks)


def gaps() -> list[str]:
    """Return the settings, and the groups of settings, that have no description."""
    settings_type = _settings_type()
    return undescribed(environment_variables(settings_type)) + [
        f"{section.__module__}.{section.__name__}: the section has no docstring; add one"
        for section in (_section(settings_type, name) for name in settings_type.model_fields)
        if section and not section.__doc__
    ]


def undescribed(variables: Iterable[Variable]) -> list[str]:
    """Return a complaint for each setting without a description."""
    return [
        f"{variable.field}: the setting has no description; add a docstring under the field"
        for variable in variables
        if not variable.description
    ]


def _settings_type() -> type[Settings]:
    settings_type: type[Settings] = service_module("payments.settings").PaymentsSettings
    return settings_type


def _group(variable: Variable) -> str:
    return variable.field.rpartition(".")[0]


def _heading(settings_type: type[Settings], group: str) -> str:
    if not group:
        return "## The process"
    section = _section(settings_type, group.partition(".")[0])
    if section is None:
        raise TypeError(f"{group}: no section of {settings_type.__name__}; make its type a Section")
    purpose = prose(" ".join((section.__doc__ or "").split("\n\n")[0].split()))
    return f"## {group}\n\n{purpose}\nThe class is `{public_name(section)}`."


def _section(settings_type: type[Settings], name: str) -> type[Section] | None:
    annotation: Any = settings_type.model_fields[name].annotation
    kinds: Sequence[Any] = (annotation, *get_args(annotation))
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, Section)), None)


def _row(variable: Variable) -> tuple[str, ...]:
    return (
        code(variable.field),
        code(variable.name),
        _type(variable),
        _default(variable),
        "yes" if variable.secret else "",
        _sentence(variable.description),
    )


def _type(variable: Variable) -> str:
    text = _example.sub("", variable.type)
    if text.startswith("one of "):
        return ", ".join(map(code, text.removeprefix("one of ").split(", ")))
    text = _pattern.sub(lambda found: f"matching {code(found[1])}", text)
    kind, comma, limits = text.removeprefix("an ").removeprefix("a ").partition(", ")
    return f"{kind.removeprefix('secret ')}{comma}{limits}"


def _default(variable: Variable) -> str:
    if variable.default is None:
        return "**must be set**"
    if variable.type.startswith("a duration"):
        return code(_duration(float(variable.default)))
    return code(variable.default) or "empty"


def _duration(seconds: float) -> str:
    for unit, size in _units:
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g}{unit}"
    return f"{seconds * 1000:g}ms" if seconds else "0"


def _sentence(description: str) -> str:
    """Return *description* in the one form of the tables: a capital where a word begins it, no full stop."""
    text = prose(description).removesuffix(".")
    first = text.split(" ", 1)[0]
    return text[0].upper() + text[1:] if first.isalpha() and first.islower() else text
