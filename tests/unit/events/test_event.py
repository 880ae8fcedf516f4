"""The envelope of an event."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_lib import SequentialIds, strict_json
from platform_lib.events import Event, InvalidEvent, NatsSettings

CAPTURED = Event(
    id=SequentialIds().new(),
    type="payment.captured",
    source="payments",
    subject="00000000-0000-7000-8000-00000000000a",
    merchant_id="merchant-1",
    time=datetime(2026, 1, 1, 12, 30, tzinfo=UTC),
    data={"amount": {"minor_units": 1250, "currency": "EUR"}},
)


def test_an_event_is_a_cloudevents_document() -> None:
    assert CAPTURED.cloudevent() == {
        "specversion": "1.0",
        "id": "00000000-0000-7000-8000-000000000001",
        "type": "payment.captured",
        "source": "payments",
        "subject": "00000000-0000-7000-8000-00000000000a",
        "time": "2026-01-01T12:30:00Z",
        "datacontenttype": "application/json",
        "merchantid": "merchant-1",
        "data": {"amount": {"minor_units": 1250, "currency": "EUR"}},
    }


def test_an_event_carries_what_caused_it() -> None:
    traceparent = f"00-{1:032x}-{2:016x}-01"

    assert CAPTURED.cloudevent(traceparent=traceparent)["traceparent"] == traceparent


def test_an_event_survives_the_journey() -> None:
    assert Event.from_json(strict_json.dumps(CAPTURED.cloudevent())) == CAPTURED


def test_the_time_leaves_as_utc() -> None:
    event = replace(CAPTURED, time=datetime(2026, 1, 1, 14, tzinfo=timezone(timedelta(hours=2))))

    assert event.cloudevent()["time"] == "2026-01-01T12:00:00Z"


def test_an_event_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Event\.time"):
        replace(CAPTURED, time=datetime(2026, 1, 1))  # noqa: DTZ001 - the mistake under test


@pytest.mark.parametrize("name", ["type", "source", "subject", "merchant_id"])
def test_an_event_names_everything(name: str) -> None:
    changes: dict[str, Any] = {name: ""}
    with pytest.raises(ValueError, match=rf"Event\.{name}: empty"):
        replace(CAPTURED, **changes)


@pytest.mark.parametrize(
    "kind", ["payment captured", "payment..captured", ".payment", "payment.*", "payment.>", "zahlung.é"]
)
def test_a_type_that_is_no_subject_is_refused_before_it_is_stored(kind: str) -> None:
    with pytest.raises(ValueError, match=r"Event\.type"):
        replace(CAPTURED, type=kind)


@pytest.mark.parametrize(
    "change",
    [
        {"specversion": "0.3"},
        {"id": "1"},
        {"id": 1},
        {"time": "yesterday"},
        {"time": "2026-01-01T12:30:00"},
        {"time": None},
        {"data": []},
        {"merchantid": 7},
        {"type": ""},
    ],
)
def test_a_document_with_a_wrong_member_is_no_event(change: dict[str, Any]) -> None:
    payload = json.dumps({**CAPTURED.cloudevent(), **change}).encode()

    with pytest.raises(InvalidEvent):
        Event.from_json(payload)


@pytest.mark.parametrize(
    "name", ["specversion", "id", "type", "source", "subject", "time", "merchantid", "data"]
)
def test_a_document_without_a_member_is_no_event(name: str) -> None:
    document = CAPTURED.cloudevent()
    del document[name]

    with pytest.raises(InvalidEvent):
        Event.from_json(json.dumps(document).encode())


@given(st.binary())
def test_any_other_message_is_no_event_and_nothing_else_is_raised(payload: bytes) -> None:
    with pytest.raises(InvalidEvent):
        Event.from_json(payload)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "data", "time", "x"]), inner)
    ),
    max_leaves=8,
)


@given(json_values)
def test_any_other_json_is_no_event_and_nothing_else_is_raised(value: Any) -> None:
    with pytest.raises(InvalidEvent):
        Event.from_json(strict_json.dumps(value))


def test_an_invalid_event_is_never_quoted() -> None:
    with pytest.raises(InvalidEvent) as caught:
        Event.from_json(b'{"specversion": "4111111111111111"}')

    assert "4111" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_subjects_begin_with_the_streams_name_unless_told_otherwise() -> None:
    assert NatsSettings(stream="PAYMENTS").prefix == "payments"
    assert NatsSettings(stream="PAYMENTS", subject_prefix="eu.payments").prefix == "eu.payments"
