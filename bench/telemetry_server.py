"""One of the servers that `telemetry.py` compares: the same application, another telemetry around it."""

import asyncio
import contextlib
import logging
import os
import socket
import sys
from typing import Any

import uvicorn
from fastapi import FastAPI


def application(**options: Any) -> FastAPI:
    """Return the application: one route with a path parameter under a prefix."""
    app = FastAPI(**options)

    @app.get("/v1/payments/{payment_id}")
    async def find(payment_id: str) -> dict[str, str | int]:
        return {"id": payment_id, "state": "authorised", "minor_units": 1250, "currency": "EUR"}

    return app


off = {"tracing": False, "metrics": False, "logs": False, "operation_spans": False, "auto_configure": False}


def with_sdk(endpoint: str) -> None:
    """Set up the SDK as its documentation does: batching processors, OTLP over http/protobuf."""
    from opentelemetry import metrics, trace
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource.create({"service.name": sys.argv[1]})
    provider = TracerProvider(resource=resource)
    exporter = OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=8192))
    trace.set_tracer_provider(provider)
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(endpoint=f"{endpoint}/v1/metrics"))
    metrics.set_meter_provider(MeterProvider([reader], resource=resource))


def served(kind: str, endpoint: str, log: str) -> tuple[Any, Any]:
    """Return the ASGI application of *kind* and what to call when it stops."""
    if kind == "bare":
        return application(telemetry=off), lambda: None
    if kind.startswith("ours"):
        from platform_lib.telemetry import ServerSpans, TelemetrySettings, start_telemetry

        # Standard output is the log, as in a container; here it ends in a file.
        sys.stdout.flush()
        os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND), 1)
        ratio = 0.1 if kind == "ours_sampled" else 1.0
        settings = TelemetrySettings(endpoint=endpoint, sample_ratio=ratio, log_format="json")
        telemetry = start_telemetry(settings, service_name=kind, version="1", environment="production")
        return ServerSpans(application(telemetry=off)), telemetry.shutdown
    with_sdk(endpoint)
    if kind == "native":
        return application(), lambda: None
    os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"] = "http"
    from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor

    app = application(telemetry=off)
    FastAPIInstrumentor.instrument_app(app, exclude_spans=["receive", "send"])
    return app, lambda: None


async def main() -> None:
    """Serve on a free port, which is printed, pinned to the given core."""
    kind, core, sink_port, log = sys.argv[1:]
    os.sched_setaffinity(0, {int(core)})
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    print(listener.getsockname()[1], flush=True)
    app, stop = served(kind, f"http://127.0.0.1:{sink_port}", log)
    access = kind in {"native", "contrib"}  # theirs is uvicorn's, written to the same place as ours
    if access:
        logger = logging.getLogger("uvicorn.access")
        logger.setLevel(logging.INFO)
        logger.addHandler(logging.FileHandler(log))
    config = uvicorn.Config(
        app, log_config=None, access_log=access, loop="uvloop", http="httptools", lifespan="off"
    )
    await uvicorn.Server(config).serve([listener])
    stop()


if __name__ == "__main__":
    import uvloop

    with contextlib.suppress(KeyboardInterrupt), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
