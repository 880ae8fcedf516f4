"""How far a tree is from a render: what drift and adoption are measured by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher

from paypath.scaffold.render import answers_file
from paypath.scaffold.upgrade.merges import Entry, Objects

# A file that is missing, or is there besides, counts as this many lines at least.
_file_weight = 5
_largest = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Distance:
    """How a tree differs from a render.

    Attributes:
        same: files that are equal.
        changed: files that differ.
        missing: files of the render that the tree does not have.
        lines: how many lines one would change to make the render of it; files besides the render's count
        nothing.
        total: how many lines the render has.
    """

    same: tuple[str, ...]
    changed: tuple[str, ...]
    missing: tuple[str, ...]
    lines: int
    total: int

    @property
    def share(self) -> float:
        """The part of the render that is there, from 0 to 1."""
        return 1 - min(1, self.lines / max(1, self.total))


def distance(objects: Objects, tree: str, render: str) -> Distance:
    """Return how far *tree* is from the tree *render*, but for the answers file, which always differs."""
    files, wanted = objects.files(tree), objects.files(render)
    wanted.pop(answers_file, None)
    same = [path for path in wanted if files.get(path) == wanted[path]]
    changed = [path for path in wanted if path in files and files[path] != wanted[path]]
    missing = [path for path in wanted if path not in files]
    total = sum(_weight(objects, wanted, path) for path in wanted)
    lines = sum(
        _changed_lines(objects.content(files[path]), objects.content(wanted[path])) for path in changed
    )
    lines += sum(_weight(objects, wanted, path) for path in missing)
    return Distance(
        same=tuple(sorted(same)),
        changed=tuple(sorted(changed)),
        missing=tuple(sorted(missing)),
        lines=lines,
        total=total,
    )


def _weight(objects: Objects, files: Mapping[str, Entry], path: str) -> int:
    return max(_file_weight, objects.content(files[path]).count(b"\n"))


def _changed_lines(first: bytes, second: bytes) -> int:
    if len(first) + len(second) > _largest:
        return abs(first.count(b"\n") - second.count(b"\n")) + 1
    ours, theirs = first.splitlines(), second.splitlines()
    matcher = SequenceMatcher(None, ours, theirs, autojunk=False)
    kept = sum(block.size for block in matcher.get_matching_blocks())
    return max(len(ours), len(theirs)) - kept
