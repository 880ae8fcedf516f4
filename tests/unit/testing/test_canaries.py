"""The search for planted secrets: it finds them in every place and form, and nothing where there is none."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote

import pytest
from opentelemetry import trace
from opentelemetry.trace import Link, SpanContext, StatusCode, TraceFlags, TraceState
from pydantic import BaseModel

from platform_lib.config import Dsn, Secret, Section
from platform_lib.errors import Refusal
from platform_lib.redaction import redact
from platform_lib.testing import Canaries, CapturedLogs, CapturedSpans, assert_no_secret

tracer = trace.get_tracer("tests")
names = list(Canaries().secrets())


def test_what_has_a_form_is_recognised_by_redaction(canaries: Canaries) -> None:
    for text in (*canaries.cards, canaries.iban, canaries.authorization, canaries.dsn):
        assert canaries.leaks("", text)
        assert canaries.leaks("", redact(text)) == []
    for key in (canaries.webhook_secret, canaries.api_key):
        assert canaries.leaks("", redact(key)) == []


@pytest.mark.parametrize("name", names)
@pytest.mark.parametrize(
    "written",
    [
        str,
        str.upper,
        lambda secret: f"paid with {secret}!",
        lambda secret: " ".join(secret[start : start + 4] for start in range(0, len(secret), 4)),
        lambda secret: "-".join(secret[start : start + 4] for start in range(0, len(secret), 4)),
        quote,
        lambda secret: "".join(f"%{byte:02X}" for byte in secret.encode()),
        lambda secret: secret.encode().hex(),
        lambda secret: "\\x" + secret.encode().hex().upper(),
        lambda secret: base64.b64encode(f"{secret}".encode()).decode(),
        lambda secret: base64.b64encode(f"a{secret}bc".encode()).decode(),
        lambda secret: base64.urlsafe_b64encode(f"ab{secret}c".encode()).decode(),
    ],
)
def test_a_secret_is_found_however_it_is_written(
    canaries: Canaries, name: str, written: Callable[[str], str]
) -> None:
    leaks = canaries.leaks("body", written(canaries.secrets()[name]))

    assert [leak.secret for leak in leaks] == [name]


def test_masked_values_and_ordinary_texts_are_no_leaks(canaries: Canaries) -> None:
    for text in (
        "",
        "453914******6467",
        "order-1",
        "Bearer [redacted]",
        "018f4e5e-7e39-7c5a-9b39-4d5b1f3c2a11",
    ):
        assert canaries.leaks("", text) == []


def test_a_secret_of_the_service_can_be_added_if_chance_would_not_find_it(canaries: Canaries) -> None:
    canaries.add("provider key", "test-key-4711")

    assert [leak.secret for leak in canaries.leaks("", "key=test-key-4711")] == ["provider key"]
    with pytest.raises(ValueError, match="pin has 4 characters; plant eight or more"):
        canaries.add("pin", "4711")


def test_a_leak_is_shown_with_its_place_and_without_the_secret(canaries: Canaries) -> None:
    with pytest.raises(AssertionError) as caught:
        assert_no_secret(canaries, answer={"detail": f"card {canaries.card} was declined"})

    assert "card 1 in answer.detail: card <card 1> was declined" in str(caught.value)
    assert canaries.card not in str(caught.value)


# The control: one secret planted in each place where the search looks.


def _span(**planted: str) -> Callable[[CapturedSpans], None]:
    def make(spans: CapturedSpans) -> None:
        del spans
        state = TraceState([("seen", planted.get("state", "nothing"))])
        link = Link(SpanContext(1, 1, is_remote=True, trace_flags=TraceFlags(1), trace_state=state))
        link_with_attribute = Link(link.context, {"note": planted.get("link", "")})
        with tracer.start_as_current_span(planted.get("name", "call"), links=[link_with_attribute]) as span:
            span.set_attribute(planted.get("attribute_name", "note"), planted.get("attribute", ""))
            span.add_event(planted.get("event", "said"), {"words": planted.get("event_attribute", "")})
            if "status" in planted:
                span.set_status(StatusCode.ERROR, planted["status"])

    return make


@pytest.mark.parametrize(
    "where",
    ["name", "attribute_name", "attribute", "event", "event_attribute", "link", "state", "status"],
)
def test_a_secret_in_any_part_of_a_span_is_found(
    canaries: Canaries, spans: CapturedSpans, where: str
) -> None:
    _span()(spans)
    assert_no_secret(canaries, spans=spans)

    _span(**{where: canaries.card})(spans)

    with pytest.raises(AssertionError, match="<card 1>"):
        assert_no_secret(canaries, spans=spans)


def test_a_secret_in_a_log_line_is_found(canaries: Canaries, logs: CapturedLogs) -> None:
    logging.getLogger("t").info("card %s", canaries.card)
    assert_no_secret(canaries, logs=logs)

    logging.getLogger("t").info("password %s", f"is {canaries.dsn_password}")

    with pytest.raises(AssertionError, match="dsn_password in logs, line 2: "):
        assert_no_secret(canaries, logs=logs)


@dataclass
class Response:
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes = b""


class Careless(BaseModel):
    password: str


class Careful(Section):
    password: Secret
    url: Dsn


@pytest.mark.parametrize(
    ("plant", "place"),
    [
        (lambda c: c.card, "it"),
        (lambda c: c.card.encode(), "it"),
        (lambda c: bytearray(c.card.encode()), "it"),
        (lambda c: {c.card: 1}, "it, a name"),
        (lambda c: {"a": [{"b": int(c.card)}]}, "it.a[1].b"),
        (lambda c: Response(headers={"Location": f"/{c.card}"}), "it, header Location"),
        (lambda c: Response(content=json.dumps({"pan": c.card}).encode()), "it, body"),
        (lambda c: Refusal(f"no {c.card}"), "it, problem"),
        (lambda c: Refusal("no", errors=[c.card]), "it, problem"),
        (lambda c: Refusal("no", headers={"X": c.card}), "it, headers.X"),
        (lambda c: ValueError(c.card), "it, error"),
        (lambda c: Careless(password=c.card), "it, as JSON"),
    ],
)
def test_a_secret_in_any_kind_of_output_is_found(
    canaries: Canaries, plant: Callable[[Canaries], object], place: str
) -> None:
    with pytest.raises(AssertionError) as caught:
        assert_no_secret(canaries, it=plant(canaries))

    assert f"card 1 in {place}: " in str(caught.value)


def test_settings_that_hide_their_secrets_pass(canaries: Canaries) -> None:
    settings = Careful(password=Secret(canaries.api_key), url=Dsn(canaries.dsn))

    assert_no_secret(canaries, settings=settings)
