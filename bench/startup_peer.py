"""What a team would write without the platform: the peers of the generated service in `startup.py`.

    python startup_peer.py bare PORT
    python startup_peer.py contrib PORT
    python startup_peer.py by_hand PORT DATABASE_URL BROKER_URL

`bare` is FastAPI on uvicorn; `contrib` adds the OpenTelemetry SDK, OTLP export and FastAPI's instrumentation;
`by_hand` adds what the payment service opens too: a pool, the broker and an HTTP client.
"""

import contextlib
import sys
from collections.abc import AsyncIterator

import uvicorn
from fastapi import FastAPI

kind, port, *urls = sys.argv[1:]
off = {"tracing": False, "metrics": False, "logs": False, "operation_spans": False, "auto_configure": False}


@contextlib.asynccontextmanager
async def opened(app: FastAPI) -> AsyncIterator[None]:
    """Open what the service needs, if it needs anything."""
    if kind != "by_hand":
        yield
        return
    import asyncpg
    import httpx2
    import nats

    async with (
        asyncpg.create_pool(urls[0], min_size=1) as app.state.pool,
        httpx2.AsyncClient() as app.state.http,
    ):
        broker = await nats.connect(urls[1])
        yield
        await broker.close()


app = FastAPI(lifespan=opened, telemetry=off)


@app.get("/readyz")
async def readyz() -> dict[str, str]:
    """Answer as soon as anything is answered."""
    return {"status": "pass"}


if kind != "bare":
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": kind}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint="http://127.0.0.1:9/v1/traces")))
    trace.set_tracer_provider(provider)
    FastAPIInstrumentor.instrument_app(app)

uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="warning")
