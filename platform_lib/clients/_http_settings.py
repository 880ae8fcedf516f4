"""What an operator can set about calls to one HTTP peer."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from platform_lib.config import Seconds, Section


class RetrySettings(Section):
    """How often a call is tried again, and how much more load that may cause.

    One attempt is the default. How often a peer may be asked again is for its contract to say, and retries at
    several levels multiply; what a lost reply to a payment means is looked up, not guessed by a repetition.
    """

    attempts: Annotated[
        int, Field(ge=1, le=10, description="most attempts of a call, the first included; 1 never retries")
    ] = 1
    pause: Annotated[
        Seconds,
        Field(gt=0, description="ceiling of the random pause before the first retry; it doubles each time"),
    ] = 0.1
    longest_pause: Annotated[Seconds, Field(gt=0, description="what that ceiling never exceeds")] = 5.0
    budget: Annotated[
        float,
        Field(ge=0, le=1, description="retries allowed per call made, on top of a reserve of 10 retries"),
    ] = 0.1


class CircuitBreakerSettings(Section):
    """When a peer counts as down, so that calls fail at once instead of waiting for it."""

    failure_ratio: Annotated[
        float, Field(gt=0, le=1, description="share of failed attempts in the window that opens the circuit")
    ] = 0.5
    window: Annotated[Seconds, Field(gt=0, description="how far back attempts count")] = 10.0
    min_attempts: Annotated[
        int, Field(ge=1, description="attempts in the window below which the circuit stays closed")
    ] = 20
    open: Annotated[
        Seconds, Field(gt=0, description="how long an open circuit refuses calls before one may probe")
    ] = 5.0


class HttpClientSettings(Section):
    """Where a peer is, how long to wait for it, and how much to ask of it."""

    url: Annotated[str, Field(description="base URL of the peer, such as https://api.example.com/v1")]
    timeout: Annotated[
        Seconds, Field(gt=0, description="limit of a whole call: waiting for its turn, attempts and pauses")
    ] = 10.0
    attempt_timeout: Annotated[
        Seconds | None,
        Field(gt=0, description="limit of one attempt, from connecting to the last byte; none: the call's"),
    ] = None
    max_concurrent: Annotated[
        int, Field(ge=1, description="calls under way at once; a further one waits for its turn")
    ] = 100
    max_wait: Annotated[
        Seconds, Field(ge=0, description="how long a call waits for its turn before it fails as not sent")
    ] = 1.0
    retry: RetrySettings = RetrySettings()
    breaker: CircuitBreakerSettings = CircuitBreakerSettings()
