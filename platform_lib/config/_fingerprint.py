"""Tell configurations apart in logs without showing them."""

from __future__ import annotations

import hashlib

from platform_lib import strict_json
from platform_lib.config._fields import leaves
from platform_lib.config._settings import Settings
from platform_lib.config._values import readable, value_at

_shown = 16  # hexadecimal digits: 64 bits, more than enough to tell the configurations of one service apart


def fingerprint(settings: Settings) -> str:
    """Return 16 hexadecimal digits that are the same for the same values, for a log line at the start.

    Guarantee: no secret takes part, not even hashed, so that none can be guessed from it; of a `Dsn` all but
    the password does.
    """
    values = {leaf.dotted: readable(leaf, value_at(settings, leaf.path)) for leaf in leaves(type(settings))}
    return hashlib.sha256(strict_json.dumps(values)).hexdigest()[:_shown]
