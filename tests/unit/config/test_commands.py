"""``python -m platform_lib config``: what it says, its exit codes, and that no secret is ever in it."""

import importlib
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from platform_lib.__main__ import main
from platform_lib.config import Settings, fingerprint, load

module = """\
from typing import Annotated

from pydantic import Field

from platform_lib.config import Bytes, Dsn, Secret, Seconds, Section, Settings


class Server(Section):
    '''Where the shop listens.'''

    port: Annotated[int, Field(ge=1, description="port to listen on")] = 8080
    body: Annotated[Bytes, Field(description="largest | body")] = 1048576


class Provider(Section):
    '''Who takes the money.'''

    api_key: Secret
    password: str = "guest-hunter2-default"
    timeout: Seconds = 5.0
    url: str = "http://p"


class ShopSettings(Settings, prefix="SHOP"):
    http: Server = Server()
    provider: Provider
    database: Dsn
    tags: tuple[str, ...] = ()
    keys: list[Secret] = []
    note: str | None = None
"""
seed = "hunter2"  # in every secret below
usable = {
    "SHOP_PROVIDER_API_KEY": f"sk_{seed}",
    "SHOP_PROVIDER_PASSWORD": f"pass-{seed}",
    "SHOP_PROVIDER_URL": f"nats://user:{seed}-in-url@broker",
    "SHOP_DATABASE": f"postgresql://app:{seed}@db/shop",
    "SHOP_KEYS": f"{seed}-1,{seed}-2",
    "SHOP_HTTP_PORT": "81",
    "SHOP_NOTE": f"my key is sk_{seed}",
}
broken = {
    "SHOP_PROVIDER_APIKEY": f"sk_{seed}",
    "SHOP_PROVIDER_PASSWORD": f"pass-{seed}",
    "SHOP_DATABASE": f"app:{seed}@db",
    "SHOP_HTTP_PORT": "none",
    "SHOP_HTTP_BODY": "10M",
    "SHOP_PROVIDER_TIMEOUT": "soon",
}
mistakes = {
    "SHOP_PROVIDER_APIKEY",
    "provider.api_key",
    "database",
    "http.port",
    "http.body",
    "provider.timeout",
}
place = "shop_of_commands:ShopSettings"
every_command = [
    *(["check"], ["docs"], ["schema"], ["example"], ["print"]),
    *(["print", "--format", form] for form in ("table", "env", "toml", "json")),
    *(
        ["explain", key]
        for key in ("http.port", "provider.api_key", "provider.password", "database", "SHOP_KEYS", "note")
    ),
]
every_command += [[*command, "--json"] for command in every_command]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "shop_of_commands.py").write_text(module)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    sys.modules.pop("shop_of_commands", None)
    return tmp_path


def configured(monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)


def config(*arguments: str) -> int:
    return main(["config", arguments[0], "--settings", place, *arguments[1:]])


@pytest.mark.parametrize("command", every_command, ids=" ".join)
@pytest.mark.parametrize("environ", [usable, broken], ids=["usable", "broken"])
def test_no_command_shows_a_secret(
    command: list[str],
    environ: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    configured(monkeypatch, environ)

    config(*command)

    said = capsys.readouterr()
    assert said.out + said.err
    assert seed not in said.out + said.err


def test_the_search_finds_a_value_that_is_planted_where_it_is_not_secret(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The control of the test above: the same search, on a value that may be shown."""
    configured(monkeypatch, {**usable, "SHOP_DATABASE": "postgresql://db", "SHOP_TAGS": seed})

    for command in (["print"], ["print", "--format", "json"], ["explain", "SHOP_TAGS"]):
        config(*command)
        assert seed in capsys.readouterr().out


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_as_many_mistakes_are_reported_as_were_seeded(
    form: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    configured(monkeypatch, broken)

    assert config("check", *form) == 78

    said = capsys.readouterr()
    if form:
        subjects = [mistake["subject"] for mistake in json.loads(said.out)["mistakes"]]
        assert len(subjects) == len(mistakes)
        assert set(subjects) == mistakes
    else:
        assert said.out == ""
        assert f"{len(mistakes)} mistakes" in said.err
        assert all(f"  {subject}: " in said.err for subject in mistakes)


def test_a_usable_configuration_ends_with_0_and_its_fingerprint(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    configured(monkeypatch, usable)

    assert config("check") == 0
    assert "the configuration can be used" in capsys.readouterr().out
    assert config("check", "--json") == 0
    assert json.loads(capsys.readouterr().out)["usable"] is True


@pytest.mark.parametrize("command", [["print"], ["explain", "http.port"]])
def test_an_unusable_configuration_ends_with_78_and_the_report(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    configured(monkeypatch, broken)

    assert config(*command) == 78
    assert "http.port: 'none' is not valid" in capsys.readouterr().err


def test_a_value_is_explained_with_its_winner_and_the_losers(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "config.toml").write_text("[http]\nport = 82\n")
    configured(monkeypatch, usable)

    for key in ("http.port", "SHOP_HTTP_PORT"):
        assert config("explain", key) == 0
        said = capsys.readouterr().out
        assert said.startswith("http.port = 81\n  port to listen on\n")
        assert "from      SHOP_HTTP_PORT (environment)\n" in said
        assert "over      config.toml:2: 82\n" in said


def test_what_is_printed_as_toml_is_read_as_the_same_values(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    configured(monkeypatch, {**usable, "SHOP_TAGS": "a,b"})
    config("print", "--format", "toml")
    printed = tomllib.loads(capsys.readouterr().out)

    assert printed["http"] == {"port": 81, "body": "1MiB"}
    assert printed["tags"] == ["a", "b"]
    assert "api_key" not in printed["provider"]


def test_the_example_is_a_dotenv_that_asks_for_what_must_be_set(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config("example")
    text = capsys.readouterr().out

    assert [line for line in text.splitlines() if line and not line.startswith("#")] == [
        "SHOP_PROVIDER_API_KEY=",
        "SHOP_DATABASE=",
    ]
    assert "#SHOP_HTTP_BODY=1MiB\n" in text
    (here / ".env").write_text(
        text.replace("API_KEY=", "API_KEY=k").replace("DATABASE=", "DATABASE=postgresql://db")
        .replace("#SHOP_HTTP", "SHOP_HTTP")
    )  # fmt: skip
    assert config("check") == 0


def test_the_docs_are_tables_and_the_schema_is_a_schema(capsys: pytest.CaptureFixture[str]) -> None:
    config("docs")
    said = capsys.readouterr().out
    assert "| `http.body` | `SHOP_HTTP_BODY` | size | `1MiB` | | | Largest \\| body |" in said

    config("schema")
    schema = json.loads(capsys.readouterr().out)
    port = schema["properties"]["http"]["properties"]["port"]
    assert port == {"type": "integer", "minimum": 1, "default": 8080, "description": "port to listen on"}
    assert schema["properties"]["provider"]["properties"]["password"]["writeOnly"] is True


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("shop_of_commands", "name it as package.module:Class"),
        ("nowhere:Settings", "there is no module nowhere"),
        ("shop_of_commands:Server", "Server is no settings class of shop_of_commands; it has ShopSettings"),
    ],
)
def test_a_settings_class_that_is_not_there_is_bad_input(
    settings: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["config", "check", "--settings", settings]) == 2
    assert words in capsys.readouterr().err


def test_an_unknown_key_is_bad_input_with_the_nearest_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert config("explain", "http.prot") == 2
    assert "did you mean http.port?" in capsys.readouterr().err


def test_help_teaches_and_loads_nothing_heavy() -> None:
    program = (
        "import runpy, sys\n"
        "sys.argv = ['platform_lib', 'config', 'check', '--help']\n"
        "try: runpy.run_module('platform_lib', run_name='__main__')\n"
        "finally: print(*[name for name in ('pydantic', 'fastapi', 'click') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert "examples:" in done.stdout
    assert "Exit codes:" in done.stdout
    assert done.stdout.splitlines()[-1] == ""


def test_the_commands_need_nothing_of_the_tool_or_the_test_kit() -> None:
    program = (
        "import sys\n"
        "for name in ('click', 'copier', 'pytest', 'testcontainers', 'psutil'): sys.modules[name] = None\n"
        "from platform_lib.__main__ import main\n"
        f"sys.exit(main(['config', 'check', '--settings', {place!r}]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **usable},
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_a_fingerprint_changes_with_a_value_and_never_with_a_secret() -> None:
    settings_type: type[Settings] = importlib.import_module("shop_of_commands").ShopSettings

    def of(**changed: str) -> str:
        return fingerprint(load(settings_type, environ={**usable, **changed}))

    assert of() == of()
    assert len(of()) == 16
    assert of(SHOP_HTTP_PORT="82") != of()
    assert of(SHOP_PROVIDER_API_KEY="other", SHOP_PROVIDER_PASSWORD="other") == of()
    assert of(SHOP_DATABASE="postgresql://app:other@db/shop") == of()
    assert of(SHOP_DATABASE="postgresql://app:other@elsewhere/shop") != of()
