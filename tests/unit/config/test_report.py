"""Everything that is wrong is said at once, in the words of whoever has to correct it."""

from pathlib import Path
from typing import Annotated, Any, Self

import pytest
from pydantic import Field, field_validator, model_validator

from platform_lib.config import Dsn, Seconds, Secret, Section, Settings, load
from platform_lib.errors import ConfigError


class Pool(Section):
    smallest: int = 1
    largest: int = 10

    @model_validator(mode="after")
    def _order(self) -> Self:
        if self.smallest > self.largest:
            raise ValueError(f"the smallest pool ({self.smallest}) exceeds the largest ({self.largest})")
        return self

    @field_validator("largest")
    @classmethod
    def _even(cls, value: int) -> int:
        if value == 13:
            raise ValueError("thirteen brings bad luck")
        if value == 14:
            raise KeyError("hunter2")
        return value


class Provider(Section):
    url: str
    api_key: Secret
    timeout: Seconds = 10


class ShopSettings(Settings, prefix="SHOP"):
    pool: Pool = Pool()
    provider: Provider
    database: Dsn
    port: Annotated[int, Field(ge=1, le=65535)] = 8080
    tags: list[int] = []  # noqa: RUF012  # pydantic copies defaults
    flag: bool = False


complete = {
    "SHOP_PROVIDER_URL": "http://provider",
    "SHOP_PROVIDER_API_KEY": "key",
    "SHOP_DATABASE": "postgresql://db/shop",
}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def report(environ: dict[str, str] | None = None, **overrides: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        load(ShopSettings, environ=environ or {}, overrides=overrides)
    return str(caught.value)


def test_a_report_reads_like_this(here: Path) -> None:
    (here / "config.toml").write_text('port = 8080\n\n[provider]\nurl = 5\ntimout = "5s"\n')
    (here / ".env").write_text("SHOP_PORT=80\n")

    text = report(
        {
            "SHOP_PORT": "eighty",
            "SHOP_DATABASE": "hunter2",
            "SHOP_POOL_SMALLEST": "11",
            "SHOP_PROVIDER_APIKEY": "hunter2",
            "SHOP_TAGS": "[1,",
        }
    )

    assert (
        text
        == """\
ShopSettings: the configuration cannot be used, 8 mistakes:
  provider.timout: no such setting; did you mean provider.timeout?
    found in config.toml:5
  SHOP_PROVIDER_APIKEY: no such setting; did you mean SHOP_PROVIDER_API_KEY?
    found in environment
  tags: '[1,' is not valid
    found in SHOP_TAGS (environment)
    expected a list (comma-separated, or JSON), each an integer
  pool: the smallest pool (11) exceeds the largest (10)
    found in SHOP_POOL_SMALLEST (environment)
  provider.url: 5 is not valid
    found in config.toml:4
    set by SHOP_PROVIDER_URL
    expected a text
  provider.api_key: no value given
    set SHOP_PROVIDER_API_KEY in the environment, or put it in a file of that name in the secrets directory
  database: the value (not shown, it is secret) is not valid
    found in SHOP_DATABASE (environment)
    expected a URL such as postgresql://user:password@host:5432/name
  port: 'eighty' is not valid
    found in SHOP_PORT (environment), which overrides .env:1, config.toml:1
    expected an integer, at least 1, at most 65535"""
    )


def test_one_mistake_is_one() -> None:
    assert report(complete | {"SHOP_PORT": "0"}).startswith(
        "ShopSettings: the configuration cannot be used, 1 mistake:\n"
    )


def test_a_missing_value_says_how_to_give_it() -> None:
    lines = report({"SHOP_PROVIDER_API_KEY": "key", "SHOP_DATABASE": "postgresql://db/shop"}).splitlines()

    assert lines[1:] == [
        "  provider.url: no value given",
        "    set SHOP_PROVIDER_URL in the environment, or provider.url in config.toml",
    ]


def test_an_invalid_item_of_a_list_is_reported_at_the_list() -> None:
    assert "tags: '1,two' is not valid" in report(complete | {"SHOP_TAGS": "1,two"})


def test_a_validator_of_the_service_speaks_in_its_own_words() -> None:
    text = report(complete | {"SHOP_POOL_LARGEST": "13"})

    assert "pool.largest: '13' is not valid: thirteen brings bad luck" in text


def test_a_validator_that_breaks_is_reported_without_its_text() -> None:
    text = report(complete | {"SHOP_POOL_LARGEST": "14"})

    assert "ShopSettings: a validator raised KeyError" in text
    assert "hunter2" not in text


def test_a_value_that_is_shown_is_redacted_first() -> None:
    text = report(complete | {"SHOP_PORT": "https://app:hunter2@host"})

    assert "port: 'https://app:***@host' is not valid" in text


def test_a_text_that_cannot_be_read_is_one_mistake_even_where_a_value_is_required() -> None:
    class Strict(Settings, prefix="SHOP"):
        limits: dict[str, int]

    with pytest.raises(ConfigError) as caught:
        load(Strict, environ={"SHOP_LIMITS": "{EUR: 5}"})

    assert str(caught.value) == (
        "Strict: the configuration cannot be used, 1 mistake:\n"
        "  limits: '{EUR: 5}' is not valid\n"
        "    found in SHOP_LIMITS (environment)\n"
        "    expected a JSON object"
    )


def test_long_values_are_cut() -> None:
    text = report(complete | {"SHOP_PORT": "9" * 500})

    assert max(map(len, text.splitlines())) < 120


def test_an_unknown_variable_without_a_near_name_gets_no_guess() -> None:
    text = report(complete | {"SHOP_ZZZZZZZZ": "hunter2"})

    assert "SHOP_ZZZZZZZZ: no such setting\n" in text
    assert "did you mean" not in text
    assert "hunter2" not in text


def test_variables_of_other_programs_are_nobodys_mistake() -> None:
    settings = load(
        ShopSettings, environ=complete | {"SHOPPING_CART": "1", "SHOP": "x", "PATH": "/bin", "shop_port": "x"}
    )

    assert settings.port == 8080


def test_variables_that_kubernetes_makes_for_services_are_nobodys_mistake() -> None:
    """A Kubernetes Service named `shop` or `shop-worker` puts these into every container of the namespace."""
    of_service = {
        "SERVICE_HOST": "10.0.0.1",
        "SERVICE_PORT": "80",
        "SERVICE_PORT_HTTP": "80",
        "PORT_80_TCP": "tcp://10.0.0.1:80",
        "PORT_80_TCP_PROTO": "tcp",
        "PORT_80_TCP_PORT": "80",
        "PORT_80_TCP_ADDR": "10.0.0.1",
    }
    environ = {f"SHOP_{name}": value for name, value in of_service.items()}
    environ |= {f"SHOP_WORKER_{name}": value for name, value in of_service.items()}
    environ |= {"SHOP_WORKER_PORT": "tcp://10.0.0.1:80"}

    assert load(ShopSettings, environ=complete | environ).port == 8080
    assert "SHOP_WORKER_PORT: no such setting" in report(complete | {"SHOP_WORKER_PORT": "80"})


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("port = ", r"config.toml: is not valid TOML at end of document"),
        ("port = 1\nhunter2", "config.toml: is not valid TOML at end of document"),
        ("port = 1\nport = 2\n", "config.toml: is not valid TOML at line 2, column 9"),
        ("[provider]\nx = hunter2\n", "config.toml: is not valid TOML at line 2, column 5"),
        ("provider = 'hunter2'", "provider: is a group of settings"),
        ("[port]\nhunter2 = 1", "port: "),
        ("[port.hunter]\nx = 1", "port: "),
        ("[shop]\nport = 1", "shop: no such setting"),
    ],
)
def test_what_is_wrong_with_the_file_is_said_without_quoting_it(here: Path, text: str, mistake: str) -> None:
    (here / "config.toml").write_text(text)

    said = report(complete)

    assert mistake in said


def test_unknown_overrides_are_mistakes_too() -> None:
    assert "prot: no such setting; did you mean port?\n    found in prot" in report(complete, prot=1)
    assert "pool: is a group of settings" in report(complete, pool=5)
