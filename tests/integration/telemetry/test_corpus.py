"""Our server span and FastAPI's own, side by side over a corpus of small applications on real sockets."""

from __future__ import annotations

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.integration.telemetry.corpus.cases import CASES, Case, Said
from tests.integration.telemetry.corpus.drive import attributes, server_spans

CARD = "4111111111111111"
NUMBERED = pytest.mark.parametrize("number", range(len(CASES)), ids=[str(case) for case in CASES])
Answers = dict[str, list[list[Span]]]


@pytest.fixture(scope="module")
def answers() -> Answers:
    """Server spans of every case: FastAPI's, ours, and ours on a provider of somebody else's."""
    return {mode: server_spans(mode, CASES) for mode in ("native", "ours", "api")}


def said(spans: list[Span]) -> Said | None:
    assert len(spans) <= 1, "one request has one server span"
    if not spans:
        return None
    (span,) = spans
    kept = attributes(span)
    method, route = kept["http.request.method"], kept.get("http.route")
    verb = "HTTP" if method == "_OTHER" else method
    assert span.name == (f"{verb} {route}" if route else verb)
    return Said(method, route, kept.get("http.response.status_code"))


@NUMBERED
def test_ours_is_right(number: int, answers: Answers) -> None:
    assert said(answers["ours"][number]) == CASES[number].said


@NUMBERED
def test_fastapis_own_says_the_same_or_is_wrong_as_recorded(number: int, answers: Answers) -> None:
    """When a recorded difference is gone, FastAPI was mended: take the record out of the case."""
    case: Case = CASES[number]
    expected = case.said if case.native is None else case.native.said

    assert case.native is None or case.native.said != case.said
    assert said(answers["native"][number]) == expected


@NUMBERED
def test_ours_fails_where_the_request_failed_and_never_says_why_in_words(
    number: int, answers: Answers
) -> None:
    for span in answers["ours"][number]:
        error = attributes(span).get("error.type")
        assert error == CASES[number].error
        assert (span.status.code == 2) == (error is not None)
        assert span.status.message == ""
        assert CARD not in str(span)


@NUMBERED
def test_ours_says_the_same_through_the_opentelemetry_api(number: int, answers: Answers) -> None:
    through_the_api, recorded = answers["api"][number], answers["ours"][number]

    assert said(through_the_api) == said(recorded)
    assert [attributes(span) for span in through_the_api] == [attributes(span) for span in recorded]
    assert [span.status for span in through_the_api] == [span.status for span in recorded]
