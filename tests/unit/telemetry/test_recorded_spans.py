"""Server spans that the recorder encodes: the same as the SDK's exporter would have sent."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as ProtoSpan
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, Sampler
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, StatusCode, TraceFlags

from platform_lib.telemetry import ServerSpans, TelemetrySettings, configure_logging, current_traceparent
from platform_lib.telemetry import _recorder as recorder_module
from platform_lib.telemetry._encoding import resource_part, sdk_span, spans_request
from platform_lib.telemetry._endings import settle_all
from platform_lib.telemetry._groups import Groups, scope_metrics_of
from platform_lib.telemetry._pipeline import OUR_SCOPE
from platform_lib.telemetry._plan import plan
from platform_lib.telemetry._recorder import Recorder
from platform_lib.telemetry._sdk import tracer_provider
from platform_lib.telemetry._wire import message
from platform_lib.testing import CapturedSpans

CARD = "4111111111111111"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
RESOURCE = Resource({"service.name": "payments", "n": 1, "share": 0.5, "on": True, "list": ["a", "b"]})
ONE = 1 << 64


class Route:
    path_format = "/v1/payments/{payment_id}"


class Recorded:
    """What a recorder put out."""

    def __init__(self, *, bound: int | None = ONE, sampler: Sampler = ALWAYS_ON, slow: float = 60.0) -> None:
        self._spans: list[tuple[bytes, bytes, int]] = []
        self.groups = Groups()
        self.recorder = Recorder(
            sampler=sampler,
            ratio_bound=bound,
            scope=OUR_SCOPE,
            put=lambda *spans: self._spans.append(spans),
            groups=self.groups,
            slow_seconds=slow,
        )

    @property
    def spans(self) -> list[ProtoSpan]:
        settle_all()
        request = ExportTraceServiceRequest.FromString(spans_request(resource_part(RESOURCE), self._spans))
        return [span for r in request.resource_spans for scope in r.scope_spans for span in scope.spans]

    @property
    def counts(self) -> dict[tuple[Any, ...], int]:
        settle_all()
        return {group.key: sum(group.durations.count()) for group in self.groups}


@pytest.fixture(autouse=True)
def no_recorder_left_behind() -> Iterator[None]:
    yield
    recorder_module.installed.recorder = None


async def serve(
    app: Any,
    recorded: Recorded | None,
    path: str = "/v1/payments/p1",
    handler: ServerSpans | None = None,
    **options: Any,
) -> None:
    recorder_module.installed.recorder = None if recorded is None else recorded.recorder
    headers = [(b"host", b"pay.test:8080"), (b"user-agent", b"shop/1"), *options.pop("headers", [])]
    scope = {
        "type": "http", "method": "GET", "path": path, "headers": headers, "client": ("10.0.0.9", 5)
    }  # fmt: skip

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(_: Any) -> None: ...

    await (handler or ServerSpans(app, **options))(scope, receive, send)


def answering(status: int = 200, inside: Any = None) -> Any:
    async def app(scope: Any, _receive: Any, send: Any) -> None:
        scope["route"] = Route
        if inside is not None:
            inside()
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body"})

    return app


def comparable(span: ProtoSpan) -> dict[str, Any]:
    fields = {descriptor.name: value for descriptor, value in span.ListFields()}
    for name in ("trace_id", "span_id", "start_time_unix_nano", "end_time_unix_nano"):
        assert fields.pop(name)
    fields["attributes"] = sorted(item.SerializeToString() for item in span.attributes)
    fields["events"] = [(event.name, [str(item) for item in event.attributes]) for event in span.events]
    fields["links"] = [str(link) for link in span.links]
    fields["status"] = str(span.status)
    return fields


def set_everything() -> None:
    span = trace.get_current_span()
    span.set_attributes({"merchant": "shop", "amount": 1250, "share": 0.5, "live": True, "tags": ["a", "b"]})
    span.set_attribute("negative", -1)
    span.add_event("claimed", {"key": "k1"})
    span.add_link(SpanContext(5, 6, is_remote=True, trace_flags=TraceFlags(1)), {"why": "retry"})


@pytest.mark.parametrize("status", [200, 302, 404, 503])
@pytest.mark.parametrize("inside", [None, set_everything])
@pytest.mark.parametrize("trusted", [True, False])
async def test_the_bytes_say_what_the_sdk_would_have_sent(
    status: int,
    inside: Any,
    trusted: bool,  # noqa: FBT001  # a column of the table
    spans: CapturedSpans,
) -> None:
    options: dict[str, Any] = {
        "headers": [(b"traceparent", f"00-{TRACE}-{SPAN}-01".encode()), (b"tracestate", b"v=1")],
        "trust_inbound": trusted,
    }
    await serve(answering(status, inside), None, **options)
    theirs = encode_spans(list(spans)).resource_spans[0].scope_spans[0].spans[0]
    recorded = Recorded()
    await serve(answering(status, inside), recorded, **options)

    (ours,) = recorded.spans
    expected = comparable(theirs)
    if not trusted:  # the SDK puts links that are given at the start first, we put them last
        assert sorted(comparable(ours).pop("links")) == sorted(expected.pop("links"))
        assert comparable(ours) | {"links": 0} == expected | {"links": 0}
    else:
        assert comparable(ours) == expected


def test_spans_of_the_sdk_leave_as_its_own_exporter_would_send_them() -> None:
    ended: list[ReadableSpan] = []

    class Keep(SpanProcessor):
        def on_end(self, span: ReadableSpan) -> None:
            ended.append(span)

    provider = TracerProvider(resource=RESOURCE, shutdown_on_exit=False)
    provider.add_span_processor(Keep())
    tracer = provider.get_tracer("theirs", "2", "https://schema")
    stranger = SpanContext(5, 6, is_remote=True, trace_flags=TraceFlags(1))
    with tracer.start_as_current_span(
        "parent", kind=SpanKind.CONSUMER, links=[Link(stranger, {"a": "b"})]
    ) as span:
        span.set_attributes({"text": "é", "numbers": [1, 2], "none": "", "big": 2**40, "negative": -5})
        with tracer.start_as_current_span("child", kind=SpanKind.CLIENT) as child:
            child.add_event("sent", {"bytes": 3})
            child.set_status(StatusCode.ERROR, "why")
    from platform_lib.telemetry._encoding import scope_part  # noqa: PLC0415  # beside its only use

    pairs = [(scope_part(span.instrumentation_scope), sdk_span(span), 1) for span in ended]
    ours = ExportTraceServiceRequest.FromString(spans_request(resource_part(RESOURCE), pairs))

    assert ours == encode_spans(ended)


async def test_the_current_span_records_and_is_the_parent_of_the_sdks_spans() -> None:
    provider = TracerProvider(shutdown_on_exit=False)
    seen: list[Any] = []

    def inside() -> None:
        span = trace.get_current_span()
        child = provider.get_tracer("theirs").start_span("child")
        seen.extend([span, span.is_recording(), child, current_traceparent()])
        child.end()

    recorded = Recorded()
    await serve(answering(200, inside), recorded)

    (ours,) = recorded.spans
    span, recording, child, traceparent = seen
    assert isinstance(span, Span)
    assert recording
    assert child.parent.span_id.to_bytes(8, "big") == ours.span_id
    assert child.get_span_context().trace_id.to_bytes(16, "big") == ours.trace_id
    assert traceparent == f"00-{ours.trace_id.hex()}-{ours.span_id.hex()}-03"


def _error_type(span: ProtoSpan) -> list[str]:
    return [item.value.string_value for item in span.attributes if item.key == "error.type"]


async def test_an_error_has_its_type_and_never_its_message() -> None:
    def fail() -> None:
        error = ValueError(f"card {CARD}")
        trace.get_current_span().record_exception(error)
        trace.get_current_span().set_status(StatusCode.ERROR, str(error))
        raise error

    recorded = Recorded()
    with pytest.raises(ValueError, match=CARD):
        await serve(answering(200, fail), recorded)
    await serve(answering(503), recorded)
    await serve(answering(200, lambda: trace.get_current_span().set_status(StatusCode.ERROR, CARD)), recorded)
    await serve(
        answering(500, lambda: trace.get_current_span().set_attribute("error.type", "Told")), recorded
    )

    kinds = sorted(_error_type(span) for span in recorded.spans)
    assert kinds == [["503"], ["Told"], ["ValueError"], ["_OTHER"]]
    assert {span.status.code for span in recorded.spans} == {2}
    assert CARD not in str(recorded.spans)


async def test_requests_that_are_not_sampled_count_and_are_not_sent() -> None:
    recorded = Recorded(bound=0)
    for _ in range(3):
        await serve(answering(), recorded)

    assert recorded.spans == []
    assert list(recorded.counts.values()) == [3]


async def test_failed_and_slow_requests_are_kept_whatever_the_ratio_decided() -> None:
    failing, slow = Recorded(bound=0), Recorded(bound=0, slow=0.0)
    await serve(answering(500), failing)
    await serve(answering(200), slow)

    assert len(failing.spans) == 1
    assert len(slow.spans) == 1


async def test_an_operators_own_sampler_has_the_last_word() -> None:
    off, on = Recorded(bound=None, sampler=ALWAYS_OFF), Recorded(bound=None)
    await serve(answering(500), off)
    await serve(answering(200), on)

    assert off.spans == []
    assert len(on.spans) == 1


def test_somebody_elses_span_processor_gets_every_server_span_from_then_on() -> None:
    provider = tracer_provider(TelemetrySettings(), RESOURCE, Groups())
    assert provider.recorder is not None
    assert provider.recorder.on

    provider.add_span_processor(SpanProcessor())

    assert not provider.recorder.on


def test_a_disabled_sdk_records_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")

    provider = tracer_provider(
        TelemetrySettings(), RESOURCE, Groups(), disabled=plan(TelemetrySettings()).disabled
    )

    assert provider.recorder is None


async def test_the_histogram_is_a_metric_of_the_conventions() -> None:
    recorded = Recorded()
    await serve(answering(), recorded)
    settle_all()
    await serve(answering(503), recorded)
    settle_all()

    body = message(1, resource_part(RESOURCE) + scope_metrics_of(OUR_SCOPE, recorded.groups.metric(1, 2)))
    (metric,) = ExportMetricsServiceRequest.FromString(body).resource_metrics[0].scope_metrics[0].metrics
    assert (metric.name, metric.unit) == ("http.server.request.duration", "s")
    good, bad = metric.histogram.data_points
    assert (good.count, sum(good.bucket_counts), len(good.bucket_counts)) == (1, 1, 15)
    assert list(good.explicit_bounds)[:3] == [0.005, 0.01, 0.025]
    assert good.min == good.max == good.sum > 0
    assert {item.key for item in bad.attributes} == {
        "http.request.method", "url.scheme", "http.route", "http.response.status_code", "error.type",
        "network.protocol.version",
    }  # fmt: skip


def test_too_many_kinds_of_requests_share_one_overflow_series() -> None:
    groups = Groups(limit=3)
    for number in range(10):
        key = ("GET", f"/{number}", 200, "http", "1.1", None, 0)
        groups.of(key).durations.waiting.append(100_000_000)

    assert len(list(groups)) == 2
    body = message(1, scope_metrics_of(b"", groups.metric(1, 2)))
    points = ExportMetricsServiceRequest.FromString(body).resource_metrics[0].scope_metrics[0].metrics[0]
    assert [point.count for point in points.histogram.data_points] == [1, 1, 8]
    assert points.histogram.data_points[2].attributes[0].key == "otel.metric.overflow"


async def test_a_span_that_is_asked_only_after_its_request_ended_names_the_exported_trace() -> None:
    recorded, held = Recorded(), list[Span]()
    await serve(answering(inside=lambda: held.append(trace.get_current_span())), recorded)
    (exported,) = recorded.spans

    context = held[0].get_span_context()
    assert context.trace_id.to_bytes(16, "big") == exported.trace_id
    assert context.span_id.to_bytes(8, "big") == exported.span_id
    assert context.trace_flags.sampled


async def test_a_quick_access_line_says_what_a_log_record_would_have() -> None:
    root = logging.getLogger()
    handlers, level, stream = list(root.handlers), root.level, io.StringIO()
    root.handlers.clear()
    try:
        configure_logging(TelemetrySettings(log_format="json"), service_name="payments", stream=stream)
        await serve(answering(), Recorded())
        settle_all()
        root.addHandler(logging.NullHandler())  # somebody else listens: through logging
        await serve(answering(), Recorded())
        settle_all()
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        logging.getLogger("uvicorn.access").disabled = False

    quick, record = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert list(quick) == list(record)
    for name in ("time", "trace_id", "span_id", "duration_ms"):
        assert type(quick.pop(name)) is type(record.pop(name))
    assert quick == record


async def test_ids_and_decision_are_the_same_whoever_asks_first(spans: CapturedSpans) -> None:
    del spans  # ids of the provider would be counted; the recorder makes its own
    seen: list[Any] = []

    def inside() -> None:
        span = trace.get_current_span()
        seen.extend([span.get_span_context(), span.get_span_context(), span.is_recording()])

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await answering(200, None if seen else inside)(scope, receive, send)

    recorded, middleware = Recorded(), ServerSpans(app)
    await serve(app, recorded, handler=middleware)
    await serve(app, recorded, handler=middleware)

    asked, again, recording = seen
    first, second = recorded.spans
    assert asked == again
    assert recording
    assert first.trace_id == asked.trace_id.to_bytes(16, "big")
    assert first.span_id == asked.span_id.to_bytes(8, "big")
    assert second.trace_id != first.trace_id


def test_requests_on_two_event_loops_are_each_told_in_time() -> None:
    counts: list[int] = []

    async def one(*, wait: bool) -> None:
        told = asyncio.Event()

        def put(_scope: bytes, _spans: bytes, count: int) -> None:
            counts.append(count)
            told.set()

        recorded.recorder._put = put
        await serve(app, recorded, handler=middleware)
        if wait:
            await asyncio.wait_for(told.wait(), 20)

    recorded, app = Recorded(), answering()
    middleware = ServerSpans(app)
    asyncio.run(one(wait=False))  # this loop ends before its timer
    assert counts == []
    asyncio.run(one(wait=True))

    assert counts == [2]
