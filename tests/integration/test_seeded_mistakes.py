"""The generated service with everything wrong at once: each mistake is told and no secret is."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from platform_lib.testing import Canaries

root = Path(__file__).parents[2]
settings = ("--settings", "payments.settings:PaymentsSettings")

canaries = Canaries()
for name in ("stray word", "unknown variable", "unknown file", "command line", "password", "broken line"):
    canaries.add(name, f"cnry-{name.replace(' ', '-')}-7QmX2vT8")
planted = canaries.secrets()

config_toml = f"""\
stray = "{planted["stray word"]}"

[http]
max_body_bytes = "10 parsecs"
max_headers = 0
prot = 8080

[telemetry.otlp]
endpoint = "{canaries.dsn}"
"""

dotenv = f"""\
PAYMENTS_LIFECYCLE_DRAIN=soon
PAYMENTS_TELEMETRY_LOG_LEVL=DEBUG
export {planted["broken line"]}
PAYMENTS_SWEEPER_BATCH=many
"""

secret_files = {
    "PAYMENTS_DATABASE_URL": f"payments:{canaries.dsn_password}@db.test",
    "PAYMENTS_PROVIDER_WEBHOOK_SECRETS": canaries.webhook_secret,
    "PAYMENTS_UNHEARD_OF": planted["unknown file"],
}

variables = {
    "PAYMENTS_SECRETS_DIR": "secrets",
    "PAYMENTS_ENVIRONMENT": "development",
    "PAYMENTS_HTTP_PORT": canaries.api_key,
    "PAYMENTS_HTTP_KEEP_ALIVE": canaries.authorization,
    "PAYMENTS_LIFECYCLE_FLUSH": canaries.dsn,
    "PAYMENTS_TELEMETRY_LOG_FORMAT": canaries.card,
    "PAYMENTS_TELEMETRY_EXPORTER": canaries.iban,
    "PAYMENTS_TELEMETRY_SAMPLE_RATIO": "150%",
    "PAYMENTS_EVENTS_URL": "no url",
    "PAYMENTS_PROVIDER_APIKEY": planted["unknown variable"],
    "PAYMENTS_HTTP_MAX_IN_FLIGHT": "NaN",
}

usable = {
    "PAYMENTS_DATABASE_URL": canaries.dsn,
    "PAYMENTS_EVENTS_URL": canaries.dsn.replace("postgresql", "nats"),
    "PAYMENTS_PROVIDER_URL": "https://provider.test",
    "PAYMENTS_PROVIDER_API_KEY": f"{canaries.api_key}\n{planted['password']}",
    "PAYMENTS_PROVIDER_WEBHOOK_SECRET": canaries.webhook_secret,
}

# What is wrong wherever the configuration is read, and what besides on the command line of `serve`.
mistakes = {
    "stray": "config.toml:1",
    "http.max_body_bytes": "config.toml:4",
    "http.max_headers": "config.toml:5",
    "http.prot": "config.toml:6",
    "telemetry.otlp": "config.toml:8",
    "lifecycle.drain": ".env:1",
    "PAYMENTS_TELEMETRY_LOG_LEVL": ".env:2",
    ".env:3": None,
    "sweeper.batch": ".env:4",
    "database.url": "PAYMENTS_DATABASE_URL",
    "PAYMENTS_PROVIDER_WEBHOOK_SECRETS": "secrets/PAYMENTS_PROVIDER_WEBHOOK_SECRETS",
    "PAYMENTS_UNHEARD_OF": "secrets/PAYMENTS_UNHEARD_OF",
    "http.port": "PAYMENTS_HTTP_PORT",
    "http.keep_alive": "PAYMENTS_HTTP_KEEP_ALIVE",
    "lifecycle.flush": "PAYMENTS_LIFECYCLE_FLUSH",
    "telemetry.log_format": "PAYMENTS_TELEMETRY_LOG_FORMAT",
    "telemetry.exporter": "PAYMENTS_TELEMETRY_EXPORTER",
    "telemetry.sample_ratio": "PAYMENTS_TELEMETRY_SAMPLE_RATIO",
    "events.url": "PAYMENTS_EVENTS_URL",
    "PAYMENTS_PROVIDER_APIKEY": "environment",
    "http.max_in_flight": "PAYMENTS_HTTP_MAX_IN_FLIGHT",
    "provider.url": None,
    "provider.api_key": None,
    "provider.webhook_secret": None,
}
arguments = ("--provider.api_key", planted["command line"], "--http.hots", "x", "--lifecycle.stop", "-1s")
mistakes_of_arguments = {
    "--provider.api_key": None,
    "--http.hots": "command line",
    "lifecycle.stop": "--lifecycle.stop (command line)",
}
hints = {
    "http.prot": "http.port",
    "PAYMENTS_TELEMETRY_LOG_LEVL": "PAYMENTS_TELEMETRY_LOG_LEVEL",
    "PAYMENTS_PROVIDER_WEBHOOK_SECRETS": "PAYMENTS_PROVIDER_WEBHOOK_SECRET",
    "PAYMENTS_PROVIDER_APIKEY": "PAYMENTS_PROVIDER_API_KEY",
    "--http.hots": "--http.host",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.toml").write_text(config_toml)
    (tmp_path / ".env").write_text(dotenv)
    (tmp_path / "secrets").mkdir()
    for name, content in secret_files.items():
        (tmp_path / "secrets" / name).write_text(content)
    return tmp_path


def run(
    folder: Path, *command: str, given: Mapping[str, str] = variables
) -> subprocess.CompletedProcess[str]:
    """Run a command of the service in *folder*, with Python and pydantic at their most talkative."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "PAYMENTS_"))}
    talkative = {
        "PYDANTIC_ERRORS_INCLUDE_URL": "1",
        "PYDANTIC_SETTINGS_DEBUG": "1",
        "PYTHONDEVMODE": "1",
        "PYTHONFAULTHANDLER": "1",
    }
    path = {"PYTHONPATH": os.pathsep.join([str(root / "examples" / "payments" / "src"), str(root)])}
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env={**kept, **talkative, **path, **given},
        capture_output=True,
        text=True,
        check=False,
    )


def blocks(report: str) -> dict[str, str]:
    """Return each mistake's block of the report by its subject."""
    found = re.findall(r"^  (\S+): ((?:.*\n)(?:    .*\n)*)", report, re.MULTILINE)
    assert len(dict(found)) == len(found), "a subject is reported twice"
    return dict(found)


def assert_nothing_leaks(result: subprocess.CompletedProcess[str]) -> None:
    said = result.stdout + result.stderr
    assert not canaries.leaks("output", said)
    assert "Traceback" not in said
    assert "pydantic" not in said.lower()


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (("payments", "serve", *arguments), mistakes | mistakes_of_arguments),
        (("payments", "migrate", *arguments), mistakes | mistakes_of_arguments),
        (("platform_lib", "config", "check", *settings), mistakes),
        (("platform_lib", "config", "print", *settings), mistakes),
        (("platform_lib", "config", "explain", *settings, "http.port"), mistakes),
    ],
    ids=lambda value: " ".join(value[:3]) if isinstance(value, tuple) else "",
)
def test_n_seeded_mistakes_are_n_reports_without_a_secret(
    folder: Path, command: tuple[str, ...], expected: dict[str, str | None]
) -> None:
    result = run(folder, *command)

    assert result.returncode == 78
    assert_nothing_leaks(result)
    reported = blocks(result.stderr)
    assert reported.keys() == expected.keys()
    assert f", {len(expected)} mistakes:\n" in result.stderr
    for subject, place in expected.items():
        if place is not None:
            assert place in reported[subject], reported[subject]
    for subject in expected.keys() & hints.keys():
        assert f"did you mean {hints[subject]}?" in reported[subject]


def test_each_report_on_a_value_names_its_field_variable_origin_and_expectation(folder: Path) -> None:
    result = run(folder, "platform_lib", "config", "check", *settings, "--json")

    assert result.returncode == 78
    assert_nothing_leaks(result)
    told = {mistake["subject"]: mistake for mistake in json.loads(result.stdout)["mistakes"]}
    assert told.keys() == mistakes.keys()
    for subject, mistake in told.items():
        if " is not valid" in mistake["fact"]:
            assert mistake["variable"] == "PAYMENTS_" + subject.upper().replace(".", "_")
            assert mistake["found_in"]
            assert mistake["advice"].startswith("expected ")


@pytest.mark.parametrize("form", [(), ("--json",)], ids=["text", "json"])
@pytest.mark.parametrize("command", ["print", "docs", "schema", "example", "check"])
def test_a_usable_configuration_shows_no_secret_either(
    tmp_path: Path, command: str, form: tuple[str, ...]
) -> None:
    result = run(tmp_path, "platform_lib", "config", command, *settings, *form, given=usable)

    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout
    assert_nothing_leaks(result)


crashing_program = """
import json, pickle, traceback
from platform_lib.config import load, origins
from payments.settings import PaymentsSettings

settings = load(PaymentsSettings)

def crash(settings, database, key):
    raise RuntimeError(f"cannot use {settings} with {database} and {key!r:>40}")

try:
    crash(settings, settings.database.url, settings.provider.api_key)
except RuntimeError as error:
    print(*traceback.TracebackException.from_exception(error, capture_locals=True).format())
for dump in (
    lambda: pickle.dumps(settings),
    lambda: settings.model_dump_json(),
    lambda: json.dumps(settings.model_dump(), default=str),
    lambda: vars(settings),
    lambda: origins(settings),
):
    try:
        print(dump())
    except Exception as error:
        print(type(error).__name__, error)
"""


def test_no_secret_is_in_what_a_crash_or_a_dump_shows_of_loaded_settings(tmp_path: Path) -> None:
    (tmp_path / "crashing.py").write_text(crashing_program)

    result = run(tmp_path, "crashing", given=usable)

    assert "cannot use" in result.stdout
    assert result.returncode == 0, result.stderr
    assert not canaries.leaks("output", result.stdout + result.stderr)


def test_the_search_finds_a_canary_that_is_planted_where_nothing_hides_it(tmp_path: Path) -> None:
    """The control: the same command and search, on a value that may be shown."""
    command = ("platform_lib", "config", "explain", *settings, "http.host")
    result = run(tmp_path, *command, given=usable | {"PAYMENTS_HTTP_HOST": planted["stray word"]})

    assert [leak.secret for leak in canaries.leaks("output", result.stdout)] == ["stray word"]
