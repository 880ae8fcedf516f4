"""Copier's worker, for destinations that git knows nothing of.

Imported where something is rendered, and nowhere before: copier takes half a second.
"""

from __future__ import annotations

from pathlib import Path

from copier._main import Worker


class UntrackedWorker(Worker):
    """Renders where git tracks nothing yet.

    After each file copier asks git whether the index must be told of its executable bit: more than a process
    a file, a quarter of all that a new service costs. Before the first commit no index has an entry for it,
    and copier would do nothing.
    """

    def _sync_git_index_executable_bit(self, dst_relpath: Path, src_mode: int) -> None:
        """Do nothing."""
