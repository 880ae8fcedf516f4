"""The shape of every error that leaves the platform."""

import inspect
from collections.abc import Iterator

import pytest

from platform_lib import errors
from platform_lib.errors import (
    CallFailed,
    Fault,
    InvalidRequest,
    NotFound,
    NotSent,
    NotStarted,
    PlatformError,
    Problem,
    Refusal,
    Unavailable,
    UnknownOutcome,
)


class CaptureExceedsAuthorisation(Refusal):
    """A business rule, as a service writes it."""

    code = "capture_exceeds_authorisation"
    title = "The capture exceeds the authorisation"


def test_a_problem_document_has_the_members_of_rfc_9457() -> None:
    problem = CaptureExceedsAuthorisation("12.50 EUR is more than the 10.00 EUR authorised", payment_id="p1")

    assert problem.document(trace_id="ab" * 16) == {
        "type": "urn:problem:capture-exceeds-authorisation",
        "title": "The capture exceeds the authorisation",
        "status": 409,
        "code": "capture_exceeds_authorisation",
        "detail": "12.50 EUR is more than the 10.00 EUR authorised",
        "retryable": False,
        "payment_id": "p1",
        "trace_id": "ab" * 16,
    }


def test_a_problem_without_detail_says_its_title() -> None:
    assert str(NotFound()) == "Not found"
    assert NotFound().document()["detail"] == "Not found"


def test_a_document_outside_a_trace_has_no_trace_id() -> None:
    assert "trace_id" not in Fault().document()


@pytest.mark.parametrize(
    ("problem", "status"),
    [(InvalidRequest(), 422), (NotFound(), 404), (Refusal(), 409), (Fault(), 500), (Unavailable(), 503)],
)
def test_each_kind_has_its_status_and_only_unavailable_is_worth_a_retry(
    problem: Problem, status: int
) -> None:
    assert problem.status == problem.document()["status"] == status
    assert problem.document()["retryable"] is (status == 503)


def test_unavailable_says_when_to_come_back() -> None:
    assert Unavailable(retry_after_seconds=7).headers == {"Retry-After": "7"}


def test_a_refusal_is_no_fault_and_a_fault_no_refusal() -> None:
    """Alerts are on faults: a refused payment must never page anyone."""
    assert not issubclass(Refusal, Fault)
    assert not issubclass(Fault, Refusal)
    assert issubclass(Unavailable, Fault)


def test_a_lost_reply_is_never_taken_for_a_request_that_was_not_sent() -> None:
    assert issubclass(UnknownOutcome, CallFailed)
    assert not issubclass(UnknownOutcome, NotSent)
    assert not issubclass(NotSent, UnknownOutcome)

    lost = UnknownOutcome("provider", "timeout")
    assert (lost.peer, lost.reason, str(lost)) == ("provider", "timeout", "provider: timeout")


def test_a_resource_used_too_early_is_named_with_what_to_do() -> None:
    error = NotStarted("database")

    assert error.resource == "database"
    assert str(error).startswith("database: used while it is not open; ")


def _public_errors() -> Iterator[type[PlatformError]]:
    for name in errors.__all__:
        error = getattr(errors, name)
        assert inspect.isclass(error)
        assert issubclass(error, PlatformError)
        yield error


def test_the_tree_in_the_docstring_is_the_hierarchy() -> None:
    """Each error stands in the drawing, one level to the right of its base."""
    drawing = (errors.__doc__ or "").splitlines()
    columns = {
        word: line.index(word)
        for line in drawing
        for word in line.replace("│", " ").split()
        if word in errors.__all__
        if line.strip(" │├└─").startswith(word)
    }

    assert set(columns) == set(errors.__all__)
    for error in _public_errors():
        base = error.__bases__[0]
        if base is not Exception:
            assert columns[error.__name__] - columns[base.__name__] == 4, error.__name__


def test_every_problem_has_a_code_of_its_own() -> None:
    codes = [error.code for error in _public_errors() if issubclass(error, Problem) and error is not Problem]

    assert (
        len(set(codes) | {"internal_error"}) == len([code for code in codes if code != "internal_error"]) + 1
    )
