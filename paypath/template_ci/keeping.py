"""Whether an upgrade kept what a team had done; looked at from outside, whatever the merge says of itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

Files = Mapping[str, bytes]


def lost(
    generated: Files,
    team: Files,
    upgraded: Files,
    *,
    renamed: Mapping[str, str],
    moved: Mapping[str, str],
    asked: Collection[str],
) -> list[str]:
    """Return what of a team's work is missing after an upgrade, as lines to read.

    Every line that the team wrote must be in the same file afterwards, or in the one to which the upgrade
    says that it moved; a file that the team deleted must not come back. Where the upgrade asks, nothing is
    lost yet.

    Args:
        generated: the service as it was generated.
        team: as its team has it.
        upgraded: as the upgrade leaves it.
        renamed: by the path of a file that the team renamed, the one that it was generated under.
        moved: by the team's path, the one to which the upgrade says that the file moved.
        asked: the paths about which the upgrade asks.
    """
    found: list[str] = []
    for path, content in team.items():
        place = moved.get(path, path)
        if {path, place} & set(asked):
            continue
        origin = generated.get(renamed.get(path, path))
        if place not in upgraded:
            if content != origin or path in renamed:
                found.append(f"{path}: the team changed it, and it is gone")
            continue
        kept = upgraded[place]
        missing = _lines(content) - _lines(origin or b"") - _lines(kept)
        found += [f"{path}: lost the team's line: {line.decode(errors='replace')}" for line in missing]
    for path in generated.keys() - team.keys() - set(asked):
        if path in upgraded:
            found.append(f"{path}: the team took it away, and it is back")
    return sorted(found)


def _lines(content: bytes) -> Counter[bytes]:
    return Counter(line for line in content.split(b"\n") if line.strip())
