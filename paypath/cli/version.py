"""Which version of the tool is installed."""

from __future__ import annotations

import os
import sys


def installed_version() -> str:
    """Return the installed version, by the name of the folder that holds our metadata.

    `importlib.metadata` finds that folder in the same way; to import it is a third of a command's start, so
    that is left for installations of another form.
    """
    for place in sys.path:
        if os.path.isdir(place):  # noqa: PTH112  # no `pathlib` either
            for folder in os.scandir(place):
                if folder.name.startswith("paypath-") and folder.name.endswith(".dist-info"):
                    return folder.name.removeprefix("paypath-").removesuffix(".dist-info")
    from importlib.metadata import version  # noqa: PLC0415  # see above

    return version("paypath")
