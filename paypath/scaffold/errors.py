"""What can go wrong while a service is generated.

::

    PlatformError
    └── ScaffoldError      the service could not be generated
        └── BadInput       because of what was asked for

Both promise that nothing was written.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from platform_lib.errors import PlatformError


class ScaffoldError(PlatformError):
    """The service could not be generated; nothing was written."""


class BadInput(ScaffoldError):
    """What was asked for cannot be done; the message says what to ask for instead. Nothing was written."""


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """Return ``did you mean "x"?`` for the nearest of *known*, or else all of them.

    Examples:
        >>> did_you_mean("packge", ["package", "title"])
        'did you mean "package"?'
        >>> did_you_mean("colour", ["package", "title"])
        'there are: package, title'
    """
    names = list(known)
    near = get_close_matches(given, names, n=1)
    return f'did you mean "{near[0]}"?' if near else f"there are: {', '.join(names)}"
