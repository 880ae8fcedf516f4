"""For tests that begin with a released version: a shallow clone does not have its commit."""

from __future__ import annotations

from pathlib import Path

import pytest

from paypath.scaffold.git import git

repository = Path(__file__).parents[1]
is_shallow = git("rev-parse", "--is-shallow-repository", folder=repository).strip() == "true"
needs_history = pytest.mark.skipif(
    is_shallow, reason="a shallow clone lacks the released commits; `git fetch --unshallow`"
)
