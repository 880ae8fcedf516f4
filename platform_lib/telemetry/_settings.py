"""What an operator can set about telemetry."""

from __future__ import annotations

import os
from typing import Annotated, Literal

from pydantic import Field

from platform_lib.config import Ratio, Reloadable, Seconds, Section

_ENDPOINT_VARIABLES = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")


class TelemetrySettings(Section):
    """Where spans go, how many of them, and how logs look."""

    exporter: Annotated[
        Literal["auto", "none", "otlp"],
        Field(description="where spans go; auto means otlp if an endpoint is known here or to OpenTelemetry"),
    ] = "auto"
    endpoint: Annotated[
        str,
        Field(
            description="base URL of the OTLP collector, such as http://127.0.0.1:4318; empty: from OTEL_*"
        ),
    ] = ""
    sample_ratio: Annotated[
        Ratio,
        Field(description="share of new traces that is recorded; errors and slow requests always"),
    ] = 1.0
    slow: Annotated[
        Seconds,
        Field(gt=0, description="a request that took longer is kept although the ratio had dropped it"),
    ] = 1.0
    trust_inbound: Annotated[
        bool,
        Field(
            description=(
                "continue the caller's trace and keep to its deadline; "
                "only behind a gateway that removes strangers' headers"
            )
        ),
    ] = False
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"],
        Field(description="the least severe record that is written"),
        Reloadable(),
    ] = "INFO"
    log_format: Annotated[
        Literal["auto", "json", "console"], Field(description="auto: console on a terminal, else JSON lines")
    ] = "auto"

    @property
    def exports(self) -> bool:
        """Whether spans leave the process, with `auto` decided by the endpoints that are known."""
        if self.exporter == "auto":
            return bool(self.endpoint or any(os.environ.get(name) for name in _ENDPOINT_VARIABLES))
        return self.exporter == "otlp"
