"""`settings.md`: every setting of a payment service, and those that the other kinds have besides."""

from __future__ import annotations

from collections.abc import Iterable

from docs.generators.markdown import code, document
from docs.generators.sources import service_module
from platform_lib.config import Settings, Variable, environment_variables
from platform_lib.config._reference import additions, markdown, section_at

_intro = """\
# Settings

Every setting of a payment service as `paypath new` makes it, with the names that the service `payments` has.
A service of another name has its own prefix in place of `PAYMENTS`.
What a provider connector and an event worker have besides is [at the end](#of-a-provider-connector).

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
A setting with `yes` under "reload" may [change while the service runs](../howto/change-configuration.md).
A variable that is unknown, a value that does not fit, and a setting that is missing are reported together, and the process exits with 78.

{count} settings have no default and must be set: {required}."""  # noqa: E501  # one sentence a line

_other = """\
## Of {kind}

{what}, beyond the settings above; of those it has what it needs."""

_others = (
    (
        "a provider connector",
        "The settings of the connector `card-connector`",
        "card_connector",
        "ConnectorSettings",
    ),
    ("an event worker", "The settings of the worker `settlements`", "settlements", "WorkerSettings"),
)

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
    blocks.append(markdown(settings_type))
    for kind, what, package, name in _others:
        blocks += [
            _other.format(kind=kind, what=what),
            additions(_settings_type(package, name), beyond=settings_type),
        ]
    return document(*blocks)


def gaps() -> list[str]:
    """Return the settings, and the groups of settings, that have no description."""
    every = [_settings_type(), *(_settings_type(package, name) for _, _, package, name in _others)]
    return [complaint for settings_type in every for complaint in _gaps_of(settings_type)]


def _gaps_of(settings_type: type[Settings]) -> list[str]:
    return undescribed(environment_variables(settings_type)) + [
        f"{section.__module__}.{section.__name__}: the section has no docstring; add one"
        for section in (section_at(settings_type, name) for name in settings_type.model_fields)
        if section and not section.__doc__
    ]


def undescribed(variables: Iterable[Variable]) -> list[str]:
    """Return a complaint for each setting without a description."""
    return [
        f"{variable.field}: the setting has no description; add a docstring under the field"
        for variable in variables
        if not variable.description
    ]


def _settings_type(package: str = "payments", name: str = "PaymentsSettings") -> type[Settings]:
    settings_type: type[Settings] = getattr(service_module(f"{package}.settings"), name)
    return settings_type
