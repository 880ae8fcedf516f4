"""What an operator can set about health checks."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from platform_lib.config import Seconds, Section


class HealthSettings(Section):
    """How often dependencies are checked, and how quickly a verdict changes."""

    interval: Annotated[
        Seconds, Field(gt=0, description="pause between two checks of a healthy dependency")
    ] = 5.0
    retry_interval: Annotated[
        Seconds, Field(gt=0, description="pause between two checks of a dependency that fails")
    ] = 2.0
    timeout: Annotated[
        Seconds, Field(gt=0, description="how long one check may take before it counts as failed")
    ] = 1.0
    fail_after: Annotated[
        int, Field(ge=1, description="failures in a row that turn a passing check to failed")
    ] = 3
    recover_after: Annotated[
        int, Field(ge=1, description="successes in a row that turn a failed check back")
    ] = 2
    jitter: Annotated[
        float,
        Field(ge=0, lt=1, description="share by which pauses vary, so that replicas do not check in step"),
    ] = 0.2

    loop_stall: Annotated[
        Seconds,
        Field(gt=0, description="how long the event loop may be blocked before liveness fails"),
    ] = 10.0

    @property
    def stale_after(self) -> float:
        """Seconds after which a result says nothing any more: three intervals and one timeout."""
        return 3 * self.interval + self.timeout
