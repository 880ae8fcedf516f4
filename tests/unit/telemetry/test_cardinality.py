"""Which attribute sets a metric may have."""

from __future__ import annotations

import threading

from platform_lib.telemetry._cardinality import OVERFLOW, AttributeSets
from platform_lib.testing import Canaries


def test_an_attribute_outside_of_the_allow_list_is_dropped() -> None:
    sets = AttributeSets(("method",))

    assert sets.admit({"method": "GET", "merchant": "m-1"}) == {"method": "GET"}


def test_an_attribute_without_a_value_or_with_none_that_can_be_sent_is_left_out() -> None:
    sets = AttributeSets(("a", "b", "c"))

    assert sets.admit({"a": None, "b": b"bytes", "c": 1}) == {"c": 1}
    assert sets.admit({"a": {"deep": {"deeper": []}}, "c": 1}) == {"c": 1}
    assert sets.admit(None) == {}


def test_a_list_becomes_a_tuple() -> None:
    assert AttributeSets(("hosts",)).admit({"hosts": ["a", "b"]}) == {"hosts": ("a", "b")}


def test_the_same_attributes_are_the_same_set_in_any_order() -> None:
    sets = AttributeSets(("a", "b"))

    assert sets.admit({"a": 1, "b": 2}) is sets.admit({"b": 2, "a": 1})
    assert len(sets) == 1


def test_beyond_the_limit_everything_is_one_overflow_and_what_was_known_stays() -> None:
    """The limit counts the overflow itself, so that a metric never has more series than it says."""
    sets = AttributeSets(("id",), limit=3)

    results = [sets.admit({"id": number}) for number in range(5)]

    assert results == [{"id": 0}, {"id": 1}, OVERFLOW, OVERFLOW, OVERFLOW]
    assert sets.admit({"id": 1}) == {"id": 1}
    assert len(sets) == 2


def test_by_default_a_metric_has_two_thousand_series() -> None:
    sets = AttributeSets(("id",))

    results = {tuple(sets.admit({"id": number}).items()) for number in range(5000)}

    assert len(results) == 2000
    assert tuple(OVERFLOW.items()) in results


def test_many_threads_do_not_get_past_the_limit() -> None:
    sets = AttributeSets(("id",), limit=50)

    def admit(first: int) -> None:
        for number in range(first, first + 100):
            sets.admit({"id": number})

    threads = [threading.Thread(target=admit, args=(100 * number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(sets) == 49


def test_no_card_number_or_key_gets_into_an_attribute() -> None:
    canaries = Canaries()
    sets = AttributeSets(("reason", "number", "list"))

    admitted = sets.admit(
        {
            "reason": f"declined {canaries.card} {canaries.api_key}",
            "number": int(canaries.card),
            "list": [canaries.iban],
        }
    )

    assert canaries.leaks("metric", str(dict(admitted))) == []
    assert set(admitted) == {"reason", "number", "list"}


def test_a_long_text_is_cut() -> None:
    assert AttributeSets(("a",)).admit({"a": "x" * 5000}) == {"a": "x" * 256}
