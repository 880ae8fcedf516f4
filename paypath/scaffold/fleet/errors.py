"""What can go wrong with a whole run; what goes wrong with one service is an outcome of that service."""

from __future__ import annotations

from paypath.scaffold.errors import BadInput, ScaffoldError


class FleetError(ScaffoldError):
    """The run could not go on; what it has done is in its journal, and it can be resumed."""


class BadFleet(BadInput, FleetError):
    """What was asked of the fleet cannot be done; nothing was begun."""


class FleetStopped(FleetError):
    """The run was asked to end early, and has; what it has done is in its journal, and it can be resumed."""
