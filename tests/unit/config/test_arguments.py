"""The command line is the strongest layer that an operator has."""

from pathlib import Path

import pytest
from pydantic import Field

from platform_lib.config import Origin, Secret, Section, Settings, load, load_or_exit, origins
from platform_lib.errors import ConfigError
from platform_lib.service import ServiceSettings


class Server(Section):
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=1)


class ShopSettings(Settings, prefix="SHOP"):
    http: Server = Server()
    tags: tuple[str, ...] = ()
    key: Secret = Secret("none")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def loaded(*arguments: str, environ: dict[str, str] | None = None) -> ShopSettings:
    return load(ShopSettings, environ=environ or {}, arguments=arguments)


@pytest.mark.parametrize("arguments", [["--http.port", "81"], ["--http.port=81"]])
def test_an_option_wins_over_the_environment_and_says_where_it_stands(arguments: list[str]) -> None:
    settings = loaded(*arguments, environ={"SHOP_HTTP_PORT": "82"})

    assert settings.http.port == 81
    assert origins(settings)["http.port"] == Origin(
        "command line", "--http.port", (Origin("environment", "SHOP_HTTP_PORT"),)
    )


def test_an_override_of_code_wins_over_the_command_line() -> None:
    settings = load(ShopSettings, environ={}, arguments=["--http.port=81"], overrides={"http": {"port": 83}})

    assert settings.http.port == 83


def test_of_an_option_given_twice_the_last_holds() -> None:
    assert loaded("--http.port=81", "--http.port=82").http.port == 82


def test_an_empty_option_of_a_text_is_an_empty_text() -> None:
    assert loaded("--http.host=").http.host == ""


def test_a_list_is_written_with_commas() -> None:
    assert loaded("--tags", "a,b").tags == ("a", "b")


def test_the_environment_given_as_an_option_decides_whether_dotenv_is_read(here: Path) -> None:
    (here / ".env").write_text("SHOP_HTTP_PORT=9\n")

    assert loaded().http.port == 9
    assert loaded("--environment", "production").http.port == 8080


def test_all_mistakes_of_a_command_line_are_reported_and_no_stray_word_is_shown() -> None:
    with pytest.raises(ConfigError) as caught:
        loaded("hunter2", "--http.prot", "81", "--key=hunter2", "--http.host", "--http.port=0")

    report = str(caught.value)
    for line in (
        "5 mistakes",
        "argument 1 of the command line: is no option",
        "--http.prot: no such setting; did you mean --http.port?",
        "--key: is secret; others can read a command line",
        "set SHOP_KEY in the environment or in the secrets directory",
        "--http.host: has no value",
        "http.port: '0' is not valid",
        "found in --http.port (command line)",
    ):
        assert line in report
    assert "hunter2" not in report


def test_a_wrong_command_line_ends_the_process_with_78(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        load_or_exit(ShopSettings, environ={}, arguments=["--http.port", "none"])

    assert caught.value.code == 78
    assert "http.port: 'none' is not valid" in capsys.readouterr().err


def test_the_settings_of_the_platform_take_sizes_and_percents() -> None:
    class PaySettings(ServiceSettings, prefix="PAY"):
        pass

    settings = load(
        PaySettings,
        environ={"PAY_HTTP_MAX_BODY_BYTES": "1MiB"},
        arguments=["--telemetry.sample_ratio", "10%"],
    )

    assert settings.http.max_body_bytes == 1024 * 1024
    assert settings.telemetry.sample_ratio == 0.1
