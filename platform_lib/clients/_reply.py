"""What a peer answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from platform_lib import strict_json
from platform_lib.errors import UnknownOutcome


@dataclass(frozen=True, slots=True)
class Reply:
    """What a peer answered: any status below 500."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    peer: str = ""

    def json(self) -> Any:
        """Return the body as JSON; a body that is none raises `UnknownOutcome`: the answer is unreadable."""
        try:
            return strict_json.loads(self.body, allow_floats=True)
        except strict_json.StrictJsonError as error:
            raise UnknownOutcome(self.peer, "malformed_reply") from error
