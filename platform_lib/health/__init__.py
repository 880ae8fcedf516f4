"""Health: checks run in the background, probes read memory.

A check is declared next to what it checks (`Service.resource`, `Service.check`). Nothing that a probe asks
ever reaches a dependency, so that a slow database cannot make the process look dead.
"""

from platform_lib.health._checks import CheckFunction, HealthChecks
from platform_lib.health._forced import ForcedFailure
from platform_lib.health._report import CheckResult, Report, Status
from platform_lib.health._settings import HealthSettings
from platform_lib.health._state import Criticality

__all__ = [
    "CheckFunction",
    "CheckResult",
    "Criticality",
    "ForcedFailure",
    "HealthChecks",
    "HealthSettings",
    "Report",
    "Status",
]
