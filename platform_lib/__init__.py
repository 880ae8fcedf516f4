"""The shared runtime library of every Paypath service.

Import from the subpackages by what they are for: `platform_lib.config`, `platform_lib.service`,
`platform_lib.clients`, `platform_lib.events`, `platform_lib.payments`, `platform_lib.testing`.
The names here are the few that almost every module of a service uses.
"""

from platform_lib._version import __version__
from platform_lib.clock import Clock, ManualClock, SystemClock, TickingClock
from platform_lib.errors import (
    CallFailed,
    ConfigError,
    Fault,
    InvalidRequest,
    LawBroken,
    NotFound,
    NotSent,
    NotStarted,
    PlatformError,
    Problem,
    Refusal,
    Unavailable,
    UnknownOutcome,
)
from platform_lib.ids import Ids, RandomIds, SequentialIds
from platform_lib.money import Money

__all__ = [
    "CallFailed",
    "Clock",
    "ConfigError",
    "Fault",
    "Ids",
    "InvalidRequest",
    "LawBroken",
    "ManualClock",
    "Money",
    "NotFound",
    "NotSent",
    "NotStarted",
    "PlatformError",
    "Problem",
    "RandomIds",
    "Refusal",
    "SequentialIds",
    "SystemClock",
    "TickingClock",
    "Unavailable",
    "UnknownOutcome",
    "__version__",
]
