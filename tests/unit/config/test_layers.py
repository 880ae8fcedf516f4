"""Each layer overrides the ones below it, and every value knows where it came from."""

from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field

from platform_lib.config import Dsn, Origin, Seconds, Secret, Section, Settings, load, origins
from platform_lib.errors import ConfigError


class Server(Section):
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8080


class Provider(Section):
    url: str = "http://provider"
    api_key: Secret = Secret("default-key")
    timeout: Seconds = 10


class Retry(BaseModel):
    attempts: int = 3


class ShopSettings(Settings, prefix="SHOP"):
    http: Server = Server(port=9000)
    provider: Provider = Provider()
    database: Dsn | None = None
    tags: tuple[str, ...] = ()
    numbers: list[int] = []  # noqa: RUF012  # pydantic copies defaults
    keys: list[Secret] = []  # noqa: RUF012  # the same
    limits: dict[str, int] = {}  # noqa: RUF012  # the same
    retry: Retry = Retry()
    note: str = "none"
    comment: str = "none"
    remark: str | None = None
    fallback: Provider | None = None
    verbose: bool = False


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def loaded(environ: dict[str, str] | None = None, **overrides: Any) -> ShopSettings:
    return load(ShopSettings, environ=environ or {}, overrides=overrides)


@pytest.mark.usefixtures("here")
def test_without_any_source_the_defaults_hold() -> None:
    settings = loaded()

    assert settings == ShopSettings()
    assert settings.http.port == 9000
    assert origins(settings)["http.port"] == Origin("default", "ShopSettings.http.port")
    assert set(origins(settings)) >= {"environment", "http.host", "provider.api_key", "fallback.url"}


def test_each_layer_overrides_the_ones_below_and_the_losers_are_remembered(here: Path) -> None:
    (here / "config.toml").write_text('[http]\nhost = "file"\nport = 1\n')
    (here / ".env").write_text("# local\nSHOP_HTTP_PORT=2\n")
    (here / "secrets").mkdir()
    (here / "secrets" / "shop_http_port").write_text("3\n")
    environ = {"SHOP_SECRETS_DIR": "secrets", "SHOP_HTTP_PORT": "4"}

    settings = load(ShopSettings, environ=environ, overrides={"http": {"port": 5}})

    assert settings.http == Server(host="file", port=5)
    file, dotenv = Origin("file", "config.toml:3"), Origin(".env", ".env:2")
    secret, variable = (
        Origin("secrets", str(here / "secrets" / "shop_http_port")),
        Origin("environment", "SHOP_HTTP_PORT"),
    )
    assert origins(settings)["http.port"] == Origin("override", "http.port", (variable, secret, dotenv, file))
    assert origins(settings)["http.host"] == Origin("file", "config.toml:2")

    del environ["SHOP_HTTP_PORT"]
    assert load(ShopSettings, environ=environ).http.port == 3
    del environ["SHOP_SECRETS_DIR"]
    assert load(ShopSettings, environ=environ).http.port == 2
    (here / ".env").unlink()
    assert load(ShopSettings, environ=environ).http.port == 1
    (here / "config.toml").unlink()
    assert load(ShopSettings, environ=environ).http.port == 9000


@pytest.mark.usefixtures("here")
def test_setting_one_field_of_a_section_keeps_the_services_defaults_for_the_others() -> None:
    """`http: Server = Server(port=9000)` stays at 9000 when only the host is set."""
    assert loaded({"SHOP_HTTP_HOST": "::"}).http == Server(host="::", port=9000)


@pytest.mark.usefixtures("here")
def test_the_process_environment_is_the_default_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_HTTP_PORT", "7")

    assert load(ShopSettings).http.port == 7


@pytest.mark.parametrize("environment", ["test", "production"])
@pytest.mark.parametrize("said_in", ["environ", "file", "secrets", "overrides"])
def test_a_dotenv_file_is_read_in_development_only(here: Path, environment: str, said_in: str) -> None:
    (here / ".env").write_text("SHOP_HTTP_PORT=2\nSHOP_TYPO=1\n")
    (here / "secrets").mkdir()
    environ: dict[str, str] = {"SHOP_SECRETS_DIR": "secrets"}
    overrides: dict[str, str] = {}
    match said_in:
        case "environ":
            environ["SHOP_ENVIRONMENT"] = environment
        case "file":
            (here / "config.toml").write_text(f'environment = "{environment}"')
        case "secrets":
            (here / "secrets" / "SHOP_ENVIRONMENT").write_text(environment)
        case _:
            overrides["environment"] = environment

    assert load(ShopSettings, environ=environ, overrides=overrides).http.port == 9000


@pytest.mark.parametrize("name", ["SHOP_ENVIRONMENT", "SHOP_CONFIG_FILE", "SHOP_SECRETS_DIR"])
def test_a_dotenv_file_cannot_decide_what_is_read(here: Path, name: str) -> None:
    (here / ".env").write_text(f"{name}=production\n")

    with pytest.raises(ConfigError, match=rf"\.env:1: {name} decides what is read"):
        loaded()


def test_a_dotenv_file_is_read_as_a_shell_would(here: Path) -> None:
    (here / ".env").write_text(
        '\n# comment\nexport SHOP_HTTP_HOST = here # not there\nSHOP_NOTE="a # b" # c\n'
        "SHOP_COMMENT='it is $HOME'\nOTHER=x\nSHOP_TAGS=a,b\nSHOP_PROVIDER_URL=http://x/#frag\n"
    )

    settings = loaded()

    assert (settings.http.host, settings.note, settings.comment) == ("here", "a # b", "it is $HOME")
    assert (settings.tags, settings.provider.url) == (("a", "b"), "http://x/#frag")


@pytest.mark.parametrize("line", ["SHOP_NOTE", "SHOP_NOTE='open", 'SHOP_NOTE="a"b', "=x"])
def test_a_line_of_a_dotenv_file_that_assigns_nothing_is_named_and_not_quoted(here: Path, line: str) -> None:
    (here / ".env").write_text(f"SHOP_HTTP_PORT=1\n{line}\n")

    with pytest.raises(ConfigError, match=r"\.env:2: no assignment") as caught:
        loaded()
    assert line not in str(caught.value)


@pytest.mark.usefixtures("here")
def test_an_empty_variable_is_unset_unless_the_field_is_a_text() -> None:
    empty = dict.fromkeys(
        [
            "SHOP_HTTP_PORT",
            "SHOP_PROVIDER_API_KEY",
            "SHOP_DATABASE",
            "SHOP_TAGS",
            "SHOP_REMARK",
            "SHOP_NOTE",
        ],
        "",
    )

    settings = loaded(empty | {"SHOP_CONFIG_FILE": "", "SHOP_SECRETS_DIR": ""})

    assert settings == ShopSettings(note="")


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("variable", "text", "field", "value"),
    [
        ("TAGS", "a, b,,c", "tags", ("a", "b", "c")),
        ("TAGS", '["a,b", "c"]', "tags", ("a,b", "c")),
        ("NUMBERS", "1,2", "numbers", [1, 2]),
        ("NUMBERS", "[1, 2]", "numbers", [1, 2]),
        ("KEYS", "x,y", "keys", [Secret("x"), Secret("y")]),
        ("LIMITS", '{"EUR": 5}', "limits", {"EUR": 5}),
        ("RETRY", '{"attempts": 5}', "retry", Retry(attempts=5)),
        ("VERBOSE", " yes ", "verbose", True),
        ("DATABASE", " nats://x\n", "database", Dsn("nats://x")),
        ("NOTE", " kept as it is ", "note", " kept as it is "),
        ("ENVIRONMENT", " production ", "environment", "production"),
    ],
)
def test_texts_become_what_the_field_expects(variable: str, text: str, field: str, value: object) -> None:
    assert getattr(loaded({f"SHOP_{variable}": text}), field) == value


def test_a_section_that_may_be_absent_appears_when_one_of_its_fields_is_set(here: Path) -> None:
    assert loaded().fallback is None
    assert loaded({"SHOP_FALLBACK_URL": "http://b"}).fallback == Provider(url="http://b")
    (here / "config.toml").write_text("[fallback]\ntimeout = '1m'\n")
    assert loaded().fallback == Provider(timeout=60)


def test_another_file_can_be_named_and_must_then_exist(here: Path) -> None:
    (here / "config.toml").write_text("wrong = 1")
    (here / "other.toml").write_text("http.port = 6\nretry = {attempts = 1}\nhttp.host='x'")

    settings = loaded({"SHOP_CONFIG_FILE": "other.toml"})

    assert (settings.http.port, settings.retry.attempts) == (6, 1)
    assert origins(settings)["http.host"].location == "other.toml:3"
    with pytest.raises(ConfigError, match=r"missing\.toml: cannot be read \(No such file or directory\)"):
        loaded({"SHOP_CONFIG_FILE": "missing.toml"})


def test_an_inline_table_has_the_line_of_its_key(here: Path) -> None:
    (here / "config.toml").write_text("# one\n\nhttp = {port = 6}\n")

    assert origins(loaded())["http.port"].location == "config.toml:3"


def test_another_directory_can_be_given(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("http.port = 6")
    (tmp_path / ".env").write_text("SHOP_NOTE=x")

    settings = load(ShopSettings, environ={}, directory=tmp_path)

    assert (settings.http.port, settings.note) == (6, "x")


def test_secrets_are_read_from_files_named_as_the_variables_in_either_case(here: Path) -> None:
    """As Kubernetes mounts them: links into a hidden folder that is swapped on rotation."""
    versions = here / "secrets" / "..2026_11_22"
    versions.mkdir(parents=True)
    (versions / "SHOP_PROVIDER_API_KEY").write_text("new\nold\n")
    (versions / "shop_database").write_text("postgresql://a:b@c/d\r\n")
    (here / "secrets" / "..data").symlink_to(versions)
    for name in ("SHOP_PROVIDER_API_KEY", "shop_database"):
        (here / "secrets" / name).symlink_to(here / "secrets" / "..data" / name)
    (here / "secrets" / "shop_comment").write_text("line\n")
    (here / "secrets" / "ca.crt").write_text("not ours")
    (here / "secrets" / "Shop_Note").write_text("not ours")

    settings = loaded({"SHOP_SECRETS_DIR": str(here / "secrets")})

    assert settings.provider.api_key.all_versions() == ("new", "old")
    assert settings.database == Dsn("postgresql://a:b@c/d")
    assert settings.comment == "line"
    assert settings.note == "none"


def test_what_is_wrong_with_the_secrets_directory_is_said(here: Path) -> None:
    secrets = here / "secrets"
    with pytest.raises(
        ConfigError, match=r"SHOP_SECRETS_DIR: cannot be listed \(No such file or directory\)"
    ):
        loaded({"SHOP_SECRETS_DIR": "secrets"})
    secrets.mkdir()
    (secrets / "SHOP_NOTE").write_text("a")
    (secrets / "shop_note").write_text("b")
    (secrets / "SHOP_COMMENT").write_bytes(b"\xff")
    (secrets / "SHOP_DATABASE").write_text("x" * 70_000)
    (secrets / "SHOP_DATABSE").write_text("hunter2")
    (secrets / "SHOP_TAGS").symlink_to(secrets / "gone")

    with pytest.raises(ConfigError) as caught:
        loaded({"SHOP_SECRETS_DIR": "secrets"})

    report = str(caught.value)
    assert "shop_note: " in report
    assert "holds this name in both cases" in report
    assert "SHOP_COMMENT: is not UTF-8" in report
    assert "SHOP_DATABASE: holds more than 65536 bytes" in report
    assert "SHOP_DATABSE: no such setting; did you mean SHOP_DATABASE?" in report
    assert "hunter2" not in report


def test_a_byte_order_mark_is_no_part_of_a_value(here: Path) -> None:
    (here / "SHOP_NOTE").write_text("\ufeffa")

    assert loaded({"SHOP_SECRETS_DIR": "."}).note == "a"


def test_a_file_that_cannot_be_read_is_named(here: Path) -> None:
    (here / "folder.toml").mkdir()

    with pytest.raises(ConfigError, match=r"folder\.toml: cannot be read \(Is a directory\)"):
        loaded({"SHOP_CONFIG_FILE": "folder.toml"})


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    "overrides",
    [{"http": {"port": 5}}, {"http.port": 5}, {"http": Server(port=5)}, {"http": {"port": "5"}}],
)
def test_overrides_are_nested_or_dotted_or_whole_sections(overrides: dict[str, Any]) -> None:
    settings = load(ShopSettings, environ={"SHOP_HTTP_HOST": "kept"}, overrides=overrides)

    assert settings.http == Server(host="kept", port=5)


@pytest.mark.usefixtures("here")
def test_equal_settings_are_equal_wherever_their_values_came_from() -> None:
    assert loaded({"SHOP_HTTP_PORT": "5"}) == loaded(http={"port": 5})


def test_settings_that_were_not_loaded_have_no_origins() -> None:
    assert origins(ShopSettings()) == {}
