"""What an operator can set about looking inside a running process."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated, Self

from pydantic import Field, model_validator

from platform_lib.config import Reloadable, Secret, Section

_shortest_token = 16


class AdminSettings(Section):
    """Where a running process shows its inside: health in detail, configuration, log levels, tasks."""

    host: Annotated[str, Field(description="address of the admin port; 127.0.0.1 is this machine alone")] = (
        "127.0.0.1"
    )
    port: Annotated[
        int | None,
        Field(
            ge=0,
            le=65535,
            description="the admin port; 0 lets the system choose, none: there is none",
        ),
    ] = None
    token: Annotated[
        Secret | None,
        Field(description="bearer token of a caller who may see details, 16 characters or more"),
        Reloadable(),
    ] = None

    @model_validator(mode="after")
    def nobody_is_let_in_by_chance(self) -> Self:
        """Refuse (ValueError) a port that others reach without a token, and a token that can be guessed."""
        if self.token is not None and min(map(len, self.token.all_versions())) < _shortest_token:
            raise ValueError(f"must have a token of at least {_shortest_token} characters")
        if self.port is not None and self.token is None and not is_loopback(self.host):
            raise ValueError("must have a token, or host 127.0.0.1: other machines reach this address")
        return self


def is_loopback(host: str) -> bool:
    """Return whether *host* names this machine only, without asking a name server."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
