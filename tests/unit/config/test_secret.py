"""A hidden value shows itself to nobody who does not ask with `reveal()`."""

import copy
import json
import logging
import pickle
import pprint
import traceback

import pytest
from pydantic import BaseModel, TypeAdapter

from platform_lib.config import Dsn, Secret, Section

value = "hunter2-current"
old = "hunter2-previous"
url = f"postgresql://app:{value}@db:5432/payments"
hidden_values = [Secret(value, old), Dsn(url)]


class Credentials(Section):
    key: Secret
    url: Dsn


credentials = Credentials(key=Secret(value, old), url=Dsn(url))


@pytest.mark.parametrize("hidden", [*hidden_values, credentials, hidden_values, {"x": hidden_values}])
def test_no_way_of_printing_shows_it(hidden: object) -> None:
    record = logging.LogRecord("n", logging.INFO, "p", 1, "%s %r", (hidden, hidden), None)

    for printed in (
        str(hidden),
        repr(hidden),
        f"{hidden}",
        f"{hidden!r:>80}",
        "%s %r" % (hidden, hidden),  # noqa: UP031  # one of the ways
        "{0}".format(hidden),  # noqa: UP030, UP032  # one of the ways
        pprint.pformat(hidden),
        record.getMessage(),
    ):
        assert "hunter2" not in printed


@pytest.mark.parametrize("hidden", hidden_values)
def test_format_specifications_see_the_mask_only(hidden: Secret | Dsn) -> None:
    assert f"{hidden:.3}" == str(hidden)[:3]
    assert "hunter2" not in f"{hidden:<60}"


@pytest.mark.parametrize("hidden", hidden_values)
def test_json_never_carries_it(hidden: Secret | Dsn) -> None:
    with pytest.raises(TypeError):
        json.dumps(hidden)
    assert b"hunter2" not in TypeAdapter(type(hidden)).dump_json(hidden)
    assert "hunter2" not in credentials.model_dump_json()
    assert "hunter2" not in str(credentials.model_dump())
    assert "hunter2" not in str(credentials.model_dump(mode="json"))
    assert "hunter2" not in json.dumps(Credentials.model_json_schema())


@pytest.mark.parametrize("hidden", [*hidden_values, credentials])
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickling_is_refused(hidden: object, protocol: int) -> None:
    with pytest.raises(TypeError, match="cannot be pickled; load the settings again") as caught:
        pickle.dumps(hidden, protocol)

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("hidden", hidden_values)
def test_its_state_cannot_be_taken_and_it_has_no_dictionary(hidden: Secret | Dsn) -> None:
    with pytest.raises(TypeError):
        hidden.__getstate__()
    with pytest.raises(TypeError):
        vars(hidden)


def test_a_traceback_with_local_variables_shows_the_mask() -> None:
    def fail() -> None:
        local_secret, local_dsn, local_settings = Secret(value), Dsn(url), credentials
        raise RuntimeError(str((local_secret, local_dsn, local_settings)))

    with pytest.raises(RuntimeError) as caught:
        fail()
    printed = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())

    assert "local_secret" in printed
    assert "hunter2" not in printed.replace(f"value = {value!r}", "").replace(f"url = {url!r}", "")


@pytest.mark.parametrize("hidden", hidden_values)
def test_copies_are_the_same_object(hidden: Secret | Dsn) -> None:
    assert copy.copy(hidden) is hidden
    assert copy.deepcopy(hidden) is hidden
    assert copy.deepcopy(credentials).key is credentials.key
    assert credentials.model_copy(deep=True) == credentials


@pytest.mark.parametrize("hidden", hidden_values)
def test_it_cannot_be_changed(hidden: Secret | Dsn) -> None:
    with pytest.raises(AttributeError, match="cannot be changed"):
        hidden._value = "x"
    with pytest.raises(AttributeError, match="cannot be changed"):
        del hidden._value


def test_a_secret_reveals_its_current_version_and_all_of_them() -> None:
    secret = Secret(value, old)

    assert secret.reveal() == value
    assert secret.all_versions() == (value, old)


def test_a_dsn_reveals_the_whole_url_and_shows_all_but_the_password() -> None:
    assert Dsn(url).reveal() == url
    assert str(Dsn(url)) == "postgresql://app:***@db:5432/payments"
    assert repr(Dsn(url)) == "Dsn('postgresql://app:***@db:5432/payments')"
    assert repr(Secret(value)) == "Secret('***')"


def test_every_version_matches_and_nothing_else() -> None:
    secret = Secret(value, old, "geheim-ü")

    assert secret.matches(value)
    assert secret.matches(old)
    assert secret.matches("geheim-ü")
    assert not secret.matches("")
    assert not secret.matches(value + " ")
    assert not secret.matches("***")
    assert not secret.matches("\udcff")


def test_equal_values_are_equal_and_texts_are_not() -> None:
    assert Secret("a", "b") == Secret("a", "b")
    assert hash(Secret("a", "b")) == hash(Secret("a", "b"))
    assert Secret("a", "b") != Secret("b", "a")
    assert Secret("a", "b") != Secret("a")
    assert Secret("ü") != Secret("u")
    assert Secret("a") != "a"
    assert Dsn(url) == Dsn(url)
    assert hash(Dsn(url)) == hash(Dsn(url))
    assert Dsn(url) != url
    assert Dsn("nats://a") != Secret("nats://a")


@pytest.mark.parametrize("versions", [("",), ("a", "")])
def test_an_empty_version_is_refused(versions: tuple[str, ...]) -> None:
    """An empty key would let everybody in."""
    with pytest.raises(ValueError, match="a version is empty"):
        Secret(*versions)


@pytest.mark.parametrize(
    ("raw", "versions"),
    [
        ("one", ("one",)),
        ("  one \r\n\n two\n", ("one", "two")),
        ("one,two", ("one,two",)),
        (["new", "old"], ("new", "old")),
        (("new",), ("new",)),
        (
            "-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----\n",
            ("-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----\n",),
        ),
        (Secret("one", "two"), ("one", "two")),
    ],
)
def test_a_setting_becomes_a_secret_with_its_versions(raw: object, versions: tuple[str, ...]) -> None:
    assert TypeAdapter(Secret).validate_python(raw).all_versions() == versions


@pytest.mark.parametrize("raw", ["", "\n", [], [""], ["a", 1], 1, None, b"x"])
def test_what_is_no_secret_is_refused(raw: object) -> None:
    with pytest.raises(ValueError, match="validation error"):
        TypeAdapter(Secret).validate_python(raw)


@pytest.mark.parametrize("raw", ["", "localhost:5432", 1, None, ["nats://x"]])
def test_what_is_no_url_is_no_dsn(raw: object) -> None:
    with pytest.raises(ValueError, match="validation error"):
        TypeAdapter(Dsn).validate_python(raw)


def test_a_dsn_of_code_is_checked_as_well() -> None:
    with pytest.raises(ValueError, match="no URL with a scheme") as caught:
        Dsn(f"app:{value}@db")

    assert value not in str(caught.value)


def test_a_model_outside_of_settings_can_hold_them_too() -> None:
    class Plain(BaseModel):
        key: Secret | None = None
        url: Dsn | None = None

    assert Plain.model_validate({"key": "a", "url": "nats://x"}) == Plain(
        key=Secret("a"), url=Dsn("nats://x")
    )
    assert Plain() == Plain(key=None, url=None)
