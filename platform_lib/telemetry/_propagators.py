"""Which propagators carry a trace inside the trust boundary: those that `OTEL_PROPAGATORS` names.

Source: OpenTelemetry specification 1.60, "General SDK configuration".
"""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from platform_lib.telemetry._variables import Variables

_NAME = "OTEL_PROPAGATORS"
_DEFAULT = frozenset({"tracecontext", "baggage"})


@functools.cache
def propagators() -> frozenset[str]:
    """Return the names that are wanted of `tracecontext` and `baggage`: both, unless the operator says other.

    Read once a process. `none` among the names means none.
    """
    text = os.environ.get(_NAME, "").strip()
    names = frozenset(name.strip().lower() for name in text.split(",") if name.strip())
    if not names:
        return _DEFAULT
    return frozenset() if "none" in names else names & _DEFAULT


def check_propagators(variables: Variables) -> None:
    """Tell names that are not spoken here as mistakes."""
    variables.choices(
        _NAME, (*_DEFAULT, "none"), "set tracecontext, baggage, both with a comma between, or none"
    )
