"""The demo's collector takes what a real exporter sends."""

from __future__ import annotations

from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import SpanKind, StatusCode

from paypath.demo.collector import Collector


def test_spans_arrive_as_they_were_made() -> None:
    with Collector() as collector:
        provider = TracerProvider(resource=Resource({"service.name": "payments"}), shutdown_on_exit=False)
        exporter = OTLPSpanExporter(endpoint=f"{collector.url}/v1/traces", compression=Compression.Gzip)
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        tracer = provider.get_tracer("test")
        with tracer.start_as_current_span("parent", kind=SpanKind.SERVER) as parent:
            child = tracer.start_span(
                "child", attributes={"db.system.name": "postgresql", "rows": 3, "ok": True}
            )
            child.set_status(StatusCode.ERROR)
            child.end()
        spans = {span.name: span for span in collector.wait_until(lambda spans: len(spans) == 2, timeout=5)}
        provider.shutdown()

    assert spans["child"].parent_id == spans["parent"].span_id
    assert spans["child"].trace_id == f"{parent.get_span_context().trace_id:032x}"
    assert spans["child"].attributes == {"db.system.name": "postgresql", "rows": 3, "ok": True}
    assert spans["child"].failed
    assert (spans["parent"].role, spans["child"].role) == ("request", "database")
    assert spans["parent"].service == "payments"
