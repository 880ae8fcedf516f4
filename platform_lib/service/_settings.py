"""What an operator can set about serving and stopping."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from platform_lib.config import Bytes, Seconds, Section, Settings
from platform_lib.health import HealthSettings
from platform_lib.service._admin import AdminSettings
from platform_lib.telemetry import TelemetrySettings


class ServerSettings(Section):
    """Where the service listens, and what it takes in."""

    host: Annotated[str, Field(description="address to listen on; 0.0.0.0 for every interface")] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535, description="port to listen on; 0 lets the system choose")] = (
        8080
    )
    max_body_bytes: Annotated[
        Bytes, Field(description="largest request body; a larger one is answered 413")
    ] = 1024 * 1024
    max_headers: Annotated[
        int, Field(ge=1, description="most headers of a request; more are answered 431")
    ] = 100
    max_header_bytes: Annotated[
        int, Field(ge=1, description="largest size of all headers together; more is answered 431")
    ] = 32 * 1024
    max_in_flight: Annotated[
        int,
        Field(ge=1, description="requests answered at once; a further one is answered 503, a probe never"),
    ] = 1000
    keep_alive: Annotated[
        Seconds,
        Field(
            gt=0,
            description="how long an idle connection stays open; longer than the load balancer keeps its own",
        ),
    ] = 75.0


class LifecycleSettings(Section):
    """How long each stage of starting and stopping may take.

    The defaults of the stopping stages add up to 26 seconds, inside the 30 that Kubernetes grants; what is
    left is for an application with a lifespan of its own, half of `stop`, and for the admin port, a second.
    """

    start: Annotated[Seconds, Field(gt=0, description="time for all resources to open")] = 30.0
    drain: Annotated[
        Seconds,
        Field(
            ge=0,
            description="time from not ready to closing the listener; none when stopped from the keyboard",
        ),
    ] = 5.0
    in_flight: Annotated[
        Seconds, Field(ge=0, description="time for requests in flight to end by themselves")
    ] = 15.0
    stop: Annotated[Seconds, Field(gt=0, description="time for workers to end and resources to close")] = 3.0
    flush: Annotated[Seconds, Field(gt=0, description="time for telemetry to leave the process")] = 3.0


class ServiceSettings(Settings):
    """The settings every service has; a service subclasses it with its own prefix and adds its own groups."""

    http: ServerSettings = ServerSettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    health: HealthSettings = HealthSettings()
    lifecycle: LifecycleSettings = LifecycleSettings()
    admin: AdminSettings = AdminSettings()
