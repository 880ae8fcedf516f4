"""What can go wrong with an upgrade; each leaves the service as it was.

::

    ScaffoldError
    └── UpgradeError           the service could not be read, compared or upgraded
        ├── NoService          there is no service, or none that knows its template
        ├── UnknownVersion     its template has no such version
        ├── AnswersNeeded      answers are missing, or mean nothing to the template; the message names them
        └── TrustNeeded        the template runs code of its own, which nobody said they trust
"""

from __future__ import annotations

from collections.abc import Sequence

from paypath.scaffold.errors import BadInput, ScaffoldError


class UpgradeError(ScaffoldError):
    """The service could not be read, compared or upgraded; it is as it was."""


class NoService(BadInput, UpgradeError):
    """There is no service here, or none that knows its template."""


class UnknownVersion(BadInput, UpgradeError):
    """The template has no such version, or its source cannot be reached."""


class AnswersNeeded(UpgradeError):
    """Answers are missing, or mean nothing to the template any more.

    Attributes:
        problems: one message for each answer.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


class TrustNeeded(UpgradeError):
    """The template runs code of its own (tasks, extensions, migrations)."""
