"""Which attribute sets a metric may have: only names that were declared, and only so many sets.

Source: OpenTelemetry specification 1.60, metrics SDK, cardinality limits.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TypeGuard

from opentelemetry.util.types import AttributeValue

from platform_lib.redaction import redact

LIMIT = 2000
"""Series of a metric at most, the one for all that is beyond included, as the specification advises."""

OVERFLOW: Mapping[str, AttributeValue] = MappingProxyType({"otel.metric.overflow": True})
"""The attributes of the one series in which everything counts that has no series of its own."""

_MAX_TEXT = 256
_plain = (str, bool, int, float)

Value = str | bool | int | float | tuple[object, ...]
Attributes = Mapping[str, AttributeValue]


class AttributeSets:
    """The attribute sets of one metric.

    Guarantee: what `admit` returns has no name but the declared ones and no card number or secret in its
    texts, and there are never more than *limit* different results. So neither a careless call nor a hostile
    request can grow a metric without bound.
    """

    def __init__(self, allowed: Sequence[str], limit: int = LIMIT) -> None:
        self._allowed = tuple(allowed)
        self._limit = limit
        self._known: dict[tuple[object, ...], Attributes] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Return how many sets have a series of their own."""
        return len(self._known)

    def admit(self, attributes: Attributes | None) -> Attributes:
        """Return the set to record under: *attributes* as far as they are declared, or `OVERFLOW`."""
        key = tuple(map((attributes or {}).get, self._allowed))
        try:
            known = self._known.get(key)
        except TypeError:  # a list, or something that is no attribute value at all
            key = tuple(tuple(value) if isinstance(value, list) else value for value in key)
            return self._new(tuple(value if _is_value(value) else None for value in key))
        return self._new(key) if known is None else known

    def _new(self, key: tuple[object, ...]) -> Attributes:
        with self._lock:
            known = self._known.get(key)
            if known is not None:
                return known
            if len(self._known) >= self._limit - 1:  # one series is the overflow's
                return OVERFLOW
            admitted = {
                name: _clean(value)
                for name, value in zip(self._allowed, key, strict=True)
                if _is_value(value)
            }
            return self._known.setdefault(key, MappingProxyType(admitted))


def _is_value(value: object) -> TypeGuard[Value]:
    return isinstance(value, (*_plain, tuple))


def _clean(value: Value) -> AttributeValue:
    """Return *value* without what must not leave the process; a card number may come as a number too."""
    if isinstance(value, str):
        return redact(value[:_MAX_TEXT])
    if isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        shown = redact(str(value))
        return value if shown == str(value) else shown
    return tuple(redact(str(one)[:_MAX_TEXT]) for one in value)
