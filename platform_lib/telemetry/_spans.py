"""Spans of your own: around a use case, a call out, a message sent or a message handled.

No span carries an exception's message: messages hold card numbers and connection strings. It carries
`error.type`, the class; the message goes to the log, through the redactor.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import ParamSpec, TypeVar, cast

from opentelemetry import trace
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, StatusCode
from opentelemetry.util.types import AttributeValue

from platform_lib._version import __version__
from platform_lib.errors import Problem
from platform_lib.telemetry._context import parse_traceparent, remote_parent

P = ParamSpec("P")
R = TypeVar("R")

_SERVER_ERROR = 500
_tracer = trace.get_tracer("platform_lib", __version__)


def error_type(error: BaseException) -> str:
    """Return the qualified class name of *error*, the value of the attribute `error.type`."""
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def mark_failed(span: Span, error: BaseException | str) -> None:
    """Mark *span* as failed by *error*: status ERROR and `error.type`, never the message."""
    span.set_status(StatusCode.ERROR)
    span.set_attribute("error.type", error if isinstance(error, str) else error_type(error))


def is_expected(error: BaseException) -> bool:
    """Whether *error* is an answer to the caller rather than a failure: a `Problem` below 500."""
    return isinstance(error, Problem) and error.status < _SERVER_ERROR


@contextmanager
def _span(
    name: str,
    kind: SpanKind,
    attributes: Mapping[str, AttributeValue] | None,
    links: list[Link] | None = None,
) -> Iterator[Span]:
    with _tracer.start_as_current_span(
        name,
        kind=kind,
        attributes=attributes,
        links=links,
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield span
        except BaseException as error:
            if is_expected(error):
                span.set_attribute("paypath.refusal", cast("Problem", error).code)
            elif not isinstance(error, GeneratorExit):
                mark_failed(span, error)
            raise


def client_span(
    name: str, attributes: Mapping[str, AttributeValue] | None = None
) -> AbstractContextManager[Span]:
    """Open a span around a call to a peer."""
    return _span(name, SpanKind.CLIENT, attributes)


def producer_span(
    name: str, attributes: Mapping[str, AttributeValue] | None = None
) -> AbstractContextManager[Span]:
    """Open a span around handing a message to a broker."""
    return _span(name, SpanKind.PRODUCER, attributes)


def consumer_span(
    name: str,
    attributes: Mapping[str, AttributeValue] | None = None,
    *,
    links: tuple[SpanContext, ...] = (),
) -> AbstractContextManager[Span]:
    """Open a span around handling a message; *links* name the spans that created what is handled."""
    return _span(name, SpanKind.CONSUMER, attributes, [Link(link) for link in links])


@contextmanager
def linked_span(
    name: str, carrier: str | None, attributes: Mapping[str, AttributeValue] | None = None
) -> Iterator[Span]:
    """Open a root span for work that outlives what asked for it, linked to that and never below it.

    *carrier* is the `traceparent` of what asked, stored or from `current_traceparent`; with None or a
    malformed one the span has no link. Its trace is sampled on its own. The span is of kind CONSUMER.
    Source: OpenTelemetry specification 1.60, "Links between spans" and SpanKind, for deferred work.
    """
    cause = parse_traceparent(carrier)
    links = [] if cause is None else [Link(cause)]
    with remote_parent(None), _span(name, SpanKind.CONSUMER, attributes, links) as span:
        yield span


def traced(name: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Wrap an async or sync function in an internal span called *name*.

    A `Problem` below 500 is an answer, not an error: the span keeps its code as `paypath.refusal`.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def run(*args: P.args, **kwargs: P.kwargs) -> object:
                with _span(name, SpanKind.INTERNAL, None):
                    return await function(*args, **kwargs)

            return cast("Callable[P, R]", run)

        @functools.wraps(function)
        def run_sync(*args: P.args, **kwargs: P.kwargs) -> R:
            with _span(name, SpanKind.INTERNAL, None):
                return function(*args, **kwargs)

        return run_sync

    return decorate
