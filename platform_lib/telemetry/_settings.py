"""What an operator can set about telemetry."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from platform_lib.config import Ratio, Reloadable, Seconds, Section


class TelemetrySettings(Section):
    """Where spans, metrics and logs go, how many of them, and how logs look.

    The operator's `OTEL_*` variables win over all of it.
    """

    exporter: Annotated[
        Literal["auto", "none", "otlp"],
        Field(
            description=(
                "where spans and metrics go; auto means otlp if an endpoint is known here or to OpenTelemetry"
            )
        ),
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
    logs: Annotated[
        Literal["stdout", "otlp", "both"],
        Field(description="where log records go: standard output, the OTLP collector, or both"),
    ] = "stdout"
    namespace: Annotated[
        str,
        Field(description="service.namespace of all that is sent, the team or product; empty: none"),
    ] = ""
