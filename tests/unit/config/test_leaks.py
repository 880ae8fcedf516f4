"""No secret gets out of the loader: not in a report, not in a traceback, not in what hangs on the error."""

import logging
import pickle
import traceback
from pathlib import Path
from typing import Any, Self

import pytest
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator

from platform_lib.config import Dsn, Secret, Section, Settings, load, load_or_exit, origins
from platform_lib.errors import ConfigError

# Every value below holds this word; none of it may ever be seen.
seed = "hunter2"


class Provider(Section):
    api_key: Secret
    webhook_secret: Secret | None = None
    password: str = Field(default="guest-password", min_length=100)
    token: int = 1

    @field_validator("webhook_secret")
    @classmethod
    def _careless(cls, value: Secret | None) -> Secret | None:
        if value is not None:
            raise ValueError(f"bad secret {value.reveal()}")
        return value


class ShopSettings(Settings, prefix="SHOP"):
    provider: Provider
    database: Dsn
    replicas: list[Dsn] = []  # noqa: RUF012  # pydantic copies defaults
    signing: dict[str, Secret] = {}  # noqa: RUF012  # the same
    other: SecretStr = SecretStr("")
    broker: str = Field(default="nats://x", max_length=5)


class Clean(Settings, prefix="SHOP"):
    database: Dsn
    key: Secret
    keys: list[Secret]


class CarelessSettings(Settings, prefix="SHOP"):
    database: Dsn
    key: Secret

    @model_validator(mode="after")
    def _careless(self) -> Self:
        raise ValueError(f"cannot use {self.database.reveal()} with {self.key.reveal()}")


seeded = {
    "SHOP_DATABASE": f"app:{seed}@db",
    "SHOP_PROVIDER_PASSWORD": seed,
    "SHOP_PROVIDER_TOKEN": seed,
    "SHOP_PROVIDER_WEBHOOK_SECRET": f"whsec_{seed}",
    "SHOP_PROVIDER_APIKEY": seed,
    "SHOP_REPLICAS": f"{seed},postgresql://a:{seed}@b",
    "SHOP_SIGNING": f'{{"a": "{seed}", "b": ',
    "SHOP_BROKER": f"nats://a:{seed}@b",
}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(params=["environment", ".env", "secrets", "file", "overrides"])
def everywhere(request: pytest.FixtureRequest, here: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Seed the secrets in one of the layers; return what has to be passed to `load` besides."""
    match request.param:
        case "environment":
            for name, value in seeded.items():
                monkeypatch.setenv(name, value)
        case ".env":
            (here / ".env").write_text(
                "".join(f"{name}='{value}'\n" for name, value in seeded.items()) + f"{seed}\n"
            )
        case "secrets":
            (here / "secrets").mkdir()
            monkeypatch.setenv("SHOP_SECRETS_DIR", "secrets")
            for name, value in seeded.items():
                (here / "secrets" / name).write_text(value)
        case "file":
            values = f"""
                database = 'app:{seed}@db'
                replicas = ['{seed}', 5]
                signing = '{seed}'
                broker = 'nats://a:{seed}@b'
                [provider]
                password = '{seed}'
                token = '{seed}'
                webhook_secret = '{seed}'
                api_key = ['{seed}', 5]
            """
            (here / "config.toml").write_text(values)
        case _:
            return {
                "database": seed,
                "replicas": [seed],
                "signing": {"a": [seed, 1]},
                "broker": f"nats://a:{seed}@b",
                "provider": {"api_key": [seed, 5], "password": seed, "token": seed, "webhook_secret": seed},
            }
    return {}


def test_the_report_shows_all_the_mistakes_and_none_of_the_secrets(everywhere: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as caught:
        load(ShopSettings, overrides=everywhere)

    text = str(caught.value)
    for subject in (
        "provider.api_key",
        "provider.password",
        "provider.token",
        "provider.webhook_secret",
        "database",
        "broker",
        "replicas",
        "signing",
    ):
        assert f"  {subject}: " in text, subject
    assert seed not in text
    assert seed not in repr(caught.value)


def test_a_traceback_with_the_local_variables_of_every_frame_shows_no_secret(
    everywhere: dict[str, Any],
) -> None:
    """Error trackers send these along."""
    passed = {"overrides": everywhere}
    del everywhere

    with pytest.raises(ConfigError) as caught:
        _load_and_forget(passed)
    frames = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    printed = "".join(line for line in frames.format())

    assert "in load" in printed
    assert seed not in printed


def _load_and_forget(passed: dict[str, Any]) -> None:
    load(ShopSettings, overrides=passed.pop("overrides"))


def test_nothing_hangs_on_the_error(everywhere: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as caught:
        load(ShopSettings, overrides=everywhere)

    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None
    assert vars(caught.value) == {}
    assert seed.encode() not in pickle.dumps(caught.value)


def test_pydantics_own_words_never_reach_anybody(everywhere: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as caught:
        load(ShopSettings, overrides=everywhere)

    assert not isinstance(caught.value, ValidationError)
    for word in ("validation error", "input_value", "input_type", "errors.pydantic.dev", "type="):
        assert word not in str(caught.value)


def test_a_careless_validator_cannot_quote_a_secret() -> None:
    environ = {"SHOP_DATABASE": f"postgresql://app:{seed}@db/x", "SHOP_KEY": f"{seed}-key"}

    with pytest.raises(ConfigError) as caught:
        load(CarelessSettings, environ=environ)

    assert "CarelessSettings: cannot use " in str(caught.value)
    assert seed not in str(caught.value)


def test_exiting_prints_no_secret(everywhere: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        load_or_exit(ShopSettings, overrides=everywhere)

    assert caught.value.code == 78
    output = capsys.readouterr()
    assert output.out == ""
    assert "the configuration cannot be used" in output.err
    assert seed not in output.err


def test_loaded_settings_and_their_origins_show_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    environ = {
        "SHOP_DATABASE": f"postgresql://a:{seed}@b/c",
        "SHOP_KEY": seed,
        "SHOP_KEYS": f"{seed},{seed}2",
    }
    with caplog.at_level(logging.DEBUG):
        settings = load(Clean, environ=environ)

    for printed in (
        repr(settings),
        str(settings),
        f"{settings}",
        settings.model_dump_json(),
        repr(settings.model_dump()),
        repr(origins(settings)),
        caplog.text,
        repr(vars(settings)),
    ):
        assert seed not in printed
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(settings)


def test_a_section_made_by_hand_hides_its_input_when_it_is_wrong() -> None:
    with pytest.raises(ValidationError) as caught:
        Provider.model_validate({"api_key": [seed, 5], "token": seed})

    assert seed not in str(caught.value)
