"""Signed webhooks: what is true is taken, what is not is refused, and nothing else ever happens."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platform_lib import ManualClock
from platform_lib.config import Secret
from platform_lib.errors import ConfigError
from platform_lib.payments import (
    InvalidWebhook,
    VerifiedWebhook,
    WebhookSignatureMismatch,
    WebhookSigner,
    WebhookVerifier,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BODY = b'{"type":"operation.approved"}'


def secret_of(letter: bytes) -> str:
    return "whsec_" + base64.b64encode(letter * 32).decode()


OLD, NEW = secret_of(b"o"), secret_of(b"n")


def verifier(*secrets: str, now: datetime = NOW) -> WebhookVerifier:
    return WebhookVerifier(Secret(*(secrets or (NEW,))), ManualClock(now), 300)


def signed(*secrets: str, id: str = "evt_1", at: datetime = NOW, body: bytes = BODY) -> dict[str, str]:  # noqa: A002 - the standard's word
    return WebhookSigner(Secret(*(secrets or (NEW,)))).sign(id, at, body)


def test_the_published_test_vector_gives_the_published_signature() -> None:
    """The vector that the libraries of Standard Webhooks share."""
    headers = WebhookSigner(Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")).sign(
        "msg_p5jXN8AQM9LWM0D4loKWxJek", datetime.fromtimestamp(1614265330, UTC), b'{"test": 2432232314}'
    )

    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_the_signature_is_hmac_sha256_of_id_timestamp_and_body() -> None:
    content = f"evt_1.{int(NOW.timestamp())}.".encode() + BODY
    expected = base64.b64encode(hmac.new(b"n" * 32, content, hashlib.sha256).digest()).decode()

    assert signed()["webhook-signature"] == f"v1,{expected}"


def test_a_true_webhook_is_verified() -> None:
    assert verifier().verify(signed(), BODY) == VerifiedWebhook("evt_1", NOW)


def test_header_names_may_be_in_any_case() -> None:
    headers = {name.title(): value for name, value in signed().items()}

    assert verifier().verify(headers, BODY).id == "evt_1"


def test_other_headers_do_not_matter() -> None:
    assert (
        verifier().verify({**signed(), "content-type": "application/json", "\ud800": "\x00"}, BODY).id
        == "evt_1"
    )


def test_a_changed_body_does_not_match() -> None:
    with pytest.raises(WebhookSignatureMismatch) as caught:
        verifier().verify(signed(), BODY + b" ")

    assert caught.value.status == 401


@pytest.mark.parametrize(
    "change", [{"webhook-id": "evt_2"}, {"webhook-timestamp": str(int(NOW.timestamp()) + 1)}]
)
def test_id_and_timestamp_are_signed_as_well(change: dict[str, str]) -> None:
    with pytest.raises(WebhookSignatureMismatch):
        verifier().verify({**signed(), **change}, BODY)


def test_another_secret_does_not_match() -> None:
    with pytest.raises(WebhookSignatureMismatch):
        verifier(OLD).verify(signed(NEW), BODY)


@pytest.mark.parametrize("seconds", [300, -300])
def test_a_webhook_is_taken_at_both_ends_of_the_tolerance(seconds: int) -> None:
    assert verifier(now=NOW + timedelta(seconds=seconds)).verify(signed(), BODY).timestamp == NOW


@pytest.mark.parametrize(("seconds", "word"), [(301, "old"), (-301, "ahead")])
def test_a_webhook_beyond_the_tolerance_is_refused_on_both_sides(seconds: int, word: str) -> None:
    with pytest.raises(InvalidWebhook, match=f"301 s {word}") as caught:
        verifier(now=NOW + timedelta(seconds=seconds)).verify(signed(), BODY)

    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("sender", "receiver"),
    [
        ((OLD,), (NEW, OLD)),  # the receiver changed first
        ((NEW,), (NEW, OLD)),
        ((NEW, OLD), (OLD,)),  # the sender changed first
        ((NEW, OLD), (NEW,)),
    ],
)
def test_a_rotation_has_no_moment_at_which_nothing_matches(
    sender: tuple[str, ...], receiver: tuple[str, ...]
) -> None:
    assert verifier(*receiver).verify(signed(*sender), BODY).id == "evt_1"


def test_a_sender_in_rotation_signs_twice() -> None:
    assert len(signed(NEW, OLD)["webhook-signature"].split(" ")) == 2


def test_signatures_of_unknown_versions_are_passed_over() -> None:
    headers = signed()
    headers["webhook-signature"] = f"v1a,aGVsbG8= v9,x {headers['webhook-signature']}"

    assert verifier().verify(headers, BODY).id == "evt_1"


def test_a_right_signature_under_an_unknown_version_does_not_match() -> None:
    headers = signed()
    headers["webhook-signature"] = headers["webhook-signature"].replace("v1,", "v2,")

    with pytest.raises(WebhookSignatureMismatch):
        verifier().verify(headers, BODY)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_each_of_the_three_headers_is_needed(name: str) -> None:
    headers = signed()
    del headers[name]

    with pytest.raises(InvalidWebhook, match=f"{name}: sent 0 times"):
        verifier().verify(headers, BODY)


def test_a_repeated_header_is_refused() -> None:
    with pytest.raises(InvalidWebhook, match="webhook-id: sent 2 times"):
        verifier().verify({**signed(), "Webhook-Id": "evt_2"}, BODY)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("webhook-id", ""),
        ("webhook-id", "evt 1"),
        ("webhook-id", "evt.1"),  # would let id, timestamp and body be cut elsewhere
        ("webhook-id", "é"),
        ("webhook-id", "x" * 256),
        ("webhook-timestamp", ""),
        ("webhook-timestamp", "now"),
        ("webhook-timestamp", "-1"),
        ("webhook-timestamp", "1e9"),
        ("webhook-timestamp", "1_000"),
        ("webhook-timestamp", " 1772366400"),
        ("webhook-timestamp", "1772366400\n"),
        ("webhook-timestamp", "٠"),  # a digit to str.isdigit, not to the standard  # noqa: RUF001
        ("webhook-timestamp", "9" * 12),
        ("webhook-signature", ""),
        ("webhook-signature", "v1"),
        ("webhook-signature", "v1,"),
        ("webhook-signature", ",abc"),
        ("webhook-signature", "v1,a  v1,b"),
        ("webhook-signature", "v1,é"),
        ("webhook-signature", "v1,\ud800"),
        ("webhook-signature", " ".join(["v1,abc"] * 17)),
    ],
)
def test_a_malformed_header_is_a_bad_request(name: str, value: str) -> None:
    with pytest.raises(InvalidWebhook, match=name):
        verifier().verify({**signed(), name: value}, BODY)


def test_the_furthest_timestamp_is_too_far_ahead_and_no_overflow() -> None:
    with pytest.raises(InvalidWebhook, match="ahead"):
        verifier().verify({**signed(), "webhook-timestamp": "9" * 11}, BODY)


header_values = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["v1,", "v1,AAAA", "v1," + "A" * 43 + "=", "evt_1", str(int(NOW.timestamp())), "9" * 30]),
)


@settings(max_examples=300)
@given(
    st.dictionaries(
        st.one_of(
            st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature"]), st.text(max_size=8)
        ),
        header_values,
        max_size=5,
    ),
    st.binary(max_size=64),
)
def test_whatever_arrives_unsigned_is_refused_and_nothing_else_is_raised(
    headers: dict[str, str], body: bytes
) -> None:
    with pytest.raises((InvalidWebhook, WebhookSignatureMismatch)):
        verifier().verify(headers, body)


@settings(max_examples=300)
@given(st.data())
def test_one_changed_header_of_a_true_webhook_is_refused_and_nothing_else_is_raised(
    data: st.DataObject,
) -> None:
    headers = signed()
    name = data.draw(st.sampled_from(sorted(headers)))
    value = data.draw(header_values)
    if value == headers[name]:
        return

    with pytest.raises((InvalidWebhook, WebhookSignatureMismatch)):
        verifier().verify({**headers, name: value}, BODY)


@given(st.binary(), st.from_regex(r"\A[A-Za-z0-9_-]{1,64}\Z"))
def test_whatever_was_signed_is_verified(body: bytes, id_: str) -> None:
    assert verifier().verify(signed(id=id_, body=body), body).id == id_


@pytest.mark.parametrize(
    "secret",
    [
        "plain",
        "whsec_",
        "whsec_!!!",
        "whsec_é",
        "whsec_" + base64.b64encode(b"x" * 23).decode(),
        "whsec_" + base64.b64encode(b"x" * 65).decode(),
    ],
)
def test_a_secret_of_another_form_is_refused_when_it_is_configured(secret: str) -> None:
    for make in (WebhookSigner, WebhookVerifier):
        with pytest.raises(ConfigError, match="webhook secret: not whsec_ and base64"):
            make(Secret(NEW, secret))


def test_a_secret_is_never_quoted() -> None:
    with pytest.raises(ConfigError) as caught:
        WebhookSigner(Secret(NEW[:-9]))

    assert NEW[6:12] not in str(caught.value)


def test_an_id_that_cannot_be_signed_unambiguously_is_the_senders_mistake() -> None:
    with pytest.raises(ValueError, match="full stop"):
        signed(id="evt.1")
