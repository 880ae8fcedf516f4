"""The payment service with a span processor of its team's beside the platform's."""

import sys
from types import TracebackType
from typing import Self

from opentelemetry import trace
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from payments.settings import PaymentsSettings  # type: ignore[import-not-found]  # found in examples/ when it runs
from payments.wiring import wire  # type: ignore[import-not-found]  # the same

from platform_lib.config import load_or_exit
from platform_lib.service import serve


class Listening:
    """A resource that adds a processor, as an instrumentation package would, and does nothing else."""

    async def __aenter__(self) -> Self:
        provider = trace.get_tracer_provider()
        assert isinstance(provider, TracerProvider)
        provider.add_span_processor(SpanProcessor())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


if __name__ == "__main__":
    wired = wire(load_or_exit(PaymentsSettings))
    wired.service.resource("listening", Listening())
    sys.exit(serve(wired.service, wired.app))
