"""The changelog between two versions."""

from __future__ import annotations

import re

from packaging.version import Version

from paypath.scaffold.upgrade.versions import version_number

_heading = re.compile(r"^##\s+\[?v?(?P<name>[\w.+-]+)\]?.*$", re.MULTILINE)


def changes_between(text: str, old: str, new: str) -> str:
    r"""Return the sections of the changelog *text* (Keep a Changelog) after version *old* up to *new*.

    Versions between releases count from the release before them; what is "Unreleased" belongs to such
    versions.

    Examples:
        >>> changes_between("## Unreleased\n- c\n## 0.2.0\n- b\n## 0.1.0\n- a\n", "v0.1.0", "v0.2.0")
        '## 0.2.0\n- b'
    """
    after, last = _release(old), _release(new)
    headings = list(_heading.finditer(text))
    chosen = []
    for position, heading in enumerate(headings):
        end = headings[position + 1].start() if position + 1 < len(headings) else len(text)
        number = version_number(heading["name"])
        if number is None:
            wanted = heading["name"].lower() == "unreleased" and version_number(new) is None
        else:
            wanted = (after is None or number > after) and (last is None or number <= last)
        if wanted and (section := text[heading.end() : end].strip()):
            chosen.append(f"{heading.group().strip()}\n{section}")
    return "\n\n".join(chosen)


def _release(name: str) -> Version | None:
    return version_number(re.sub(r"-\d+-g[0-9a-f]+$", "", name))
