"""A settings class says by itself which variables set it, and one whose variables clash is refused."""

from enum import Enum
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field, SecretStr

from platform_lib.config import Dsn, Seconds, Secret, Section, Settings, Variable, environment_variables, load


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Retry(BaseModel):
    """A plain model is one value, written as JSON."""

    attempts: int = 3


class Server(Section):
    """Where to listen."""

    host: str = "127.0.0.1"
    """The address to listen on,
    one of this machine."""

    port: Annotated[int, Field(ge=1, le=65535)] = 8080


class Provider(Section):
    url: str
    api_key: Secret
    timeout: Seconds = 10
    password: str = "guest"


class ShopSettings(Settings, prefix="SHOP"):
    http: Server = Server(port=9000)
    provider: Provider
    database: Dsn = Dsn("postgresql://app:hunter2@db/shop")
    tags: list[str] = Field(default_factory=lambda: ["a", "b"])
    colour: Colour = Colour.RED
    limits: dict[str, int] = {}  # noqa: RUF012  # pydantic copies defaults
    webhook: SecretStr | None = None
    fallback: Provider | None = None
    verbose: bool = False
    retry: Retry = Retry()


def by_field() -> dict[str, Variable]:
    return {variable.field: variable for variable in environment_variables(ShopSettings)}


def test_every_leaf_has_a_variable_in_the_order_of_declaration() -> None:
    assert [(variable.field, variable.name) for variable in environment_variables(ShopSettings)] == [
        ("environment", "SHOP_ENVIRONMENT"),
        ("http.host", "SHOP_HTTP_HOST"),
        ("http.port", "SHOP_HTTP_PORT"),
        ("provider.url", "SHOP_PROVIDER_URL"),
        ("provider.api_key", "SHOP_PROVIDER_API_KEY"),
        ("provider.timeout", "SHOP_PROVIDER_TIMEOUT"),
        ("provider.password", "SHOP_PROVIDER_PASSWORD"),
        ("database", "SHOP_DATABASE"),
        ("tags", "SHOP_TAGS"),
        ("colour", "SHOP_COLOUR"),
        ("limits", "SHOP_LIMITS"),
        ("webhook", "SHOP_WEBHOOK"),
        ("fallback.url", "SHOP_FALLBACK_URL"),
        ("fallback.api_key", "SHOP_FALLBACK_API_KEY"),
        ("fallback.timeout", "SHOP_FALLBACK_TIMEOUT"),
        ("fallback.password", "SHOP_FALLBACK_PASSWORD"),
        ("verbose", "SHOP_VERBOSE"),
        ("retry", "SHOP_RETRY"),
    ]


def test_types_and_limits_are_said_in_words() -> None:
    words = {name: variable.type for name, variable in by_field().items()}

    assert words["environment"] == "one of development, test, production"
    assert words["http.port"] == "an integer, at least 1, at most 65535"
    assert words["provider.timeout"] == "a duration such as 5, 250ms, 5s, 2m or 1h30m"
    assert words["provider.api_key"] == words["webhook"] == "a secret text"
    assert words["database"] == "a URL such as postgresql://user:password@host:5432/name"
    assert words["tags"] == "a list (comma-separated, or JSON), each a text"
    assert words["colour"] == "one of red, blue"
    assert words["limits"] == words["retry"] == "a JSON object"
    assert words["verbose"] == "true or false"


def test_defaults_are_written_as_a_variable_would_hold_them() -> None:
    defaults = {name: variable.default for name, variable in by_field().items()}

    assert defaults["provider.url"] is None
    assert defaults["http.host"] == "127.0.0.1"
    assert defaults["http.port"] == "9000"  # the service's own default, not the section's
    assert defaults["tags"] == "a,b"
    assert defaults["colour"] == "red"
    assert defaults["verbose"] == "false"
    assert defaults["limits"] == "{}"
    assert defaults["webhook"] == ""
    assert defaults["provider.timeout"] == "10"


def test_secret_defaults_are_masked_and_said_to_be_secret() -> None:
    variables = by_field()

    assert variables["database"].default == "postgresql://app:***@db/shop"
    assert variables["provider.password"].default == "***"
    secret = {name for name, variable in variables.items() if variable.secret}
    assert secret == {
        "provider.api_key",
        "provider.password",
        "database",
        "webhook",
        "fallback.api_key",
        "fallback.password",
    }


def test_the_docstring_under_a_field_describes_it() -> None:
    assert by_field()["http.host"].description == "The address to listen on, one of this machine."


def test_two_fields_with_the_same_variable_are_refused_when_the_class_is_made() -> None:
    class Inner(Section):
        b_c: int = 1

    class Other(Section):
        c: int = 1

    with pytest.raises(TypeError, match=r"Clash: a_b\.c and a\.b_c share the variable SHOP_A_B_C"):

        class Clash(Settings, prefix="SHOP"):
            a: Inner = Inner()
            a_b: Other = Other()


def test_a_field_cannot_take_a_variable_of_the_loader() -> None:
    with pytest.raises(TypeError, match=r"config_file and the loader's own CONFIG_FILE share the variable"):

        class File(Settings, prefix="SHOP"):
            config_file: str = ""


def test_nor_can_a_field_of_a_section() -> None:
    class Inner(Section):
        dir: str = ""

    with pytest.raises(TypeError, match=r"secrets\.dir and the loader's own SECRETS_DIR share the variable"):

        class Directory(Settings, prefix="SHOP"):
            secrets: Inner = Inner()


@pytest.mark.parametrize("prefix", ["", "shop", "1SHOP", "SHOP_", "_SHOP", "SHOP-EU", "SHOP__EU"])
def test_a_prefix_that_is_no_variable_name_is_refused(prefix: str) -> None:
    with pytest.raises(TypeError, match="is no variable name"):

        class Wrong(Settings, prefix=prefix):
            pass


def test_a_class_without_a_prefix_cannot_be_loaded() -> None:
    class Base(Settings):
        pass

    with pytest.raises(
        TypeError, match=r'Base: has no prefix for its variables; write class Base\(Settings, prefix="NAME"\)'
    ):
        load(Base, environ={})


def test_a_subclass_keeps_the_prefix_of_its_parent_unless_it_names_its_own() -> None:
    class Narrow(ShopSettings):
        extra: Literal["x", "y"] = "x"

    class Renamed(ShopSettings, prefix="KIOSK"):
        pass

    assert "SHOP_EXTRA" in {variable.name for variable in environment_variables(Narrow)}
    assert {variable.name.split("_")[0] for variable in environment_variables(Renamed)} == {"KIOSK"}
    assert {variable.name.split("_")[0] for variable in environment_variables(ShopSettings)} == {"SHOP"}


def test_settings_cannot_be_changed_and_take_no_unknown_fields() -> None:
    server = Server()

    with pytest.raises(ValueError, match="frozen"):
        server.port = 1  # type: ignore[misc]
    with pytest.raises(ValueError, match="Extra inputs"):
        Server.model_validate({"prot": 1})
