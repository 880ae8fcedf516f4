"""Where this tool is from: the checkout that holds it, or the repository that it was installed from."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import paypath
from paypath.scaffold._carried import carried
from paypath.scaffold.errors import BadInput

if TYPE_CHECKING:
    from importlib.metadata import Distribution

_configuration = "copier.yml"
_labels = ("repository", "source", "source code")  # of `project.urls`, as the packaging guide spells them


@dataclass(frozen=True, slots=True)
class Installation:
    """Where this tool is from.

    Attributes:
        checkout: the folder that holds it, if that is a checkout.
        repository: the git URL that it was installed from, or that its wheel names.
        commit: which commit of *repository* was installed, if an installer wrote it down.
    """

    checkout: Path | None
    repository: str | None
    commit: str | None

    @property
    def place(self) -> str:
        """Return the folder or URL where its templates are found.

        Raises:
            BadInput: there is neither.
        """
        if self.checkout is not None:
            return str(self.checkout)
        if self.repository is None:
            raise BadInput(
                "--source: this paypath was installed without its templates; name a checkout or a git URL"
            )
        return self.repository


def installation() -> Installation:
    """Return where this tool is from."""
    checkout = Path(paypath.__file__).resolve().parents[1]
    if (checkout / _configuration).is_file():
        return Installation(checkout, None, None)
    from importlib.metadata import PackageNotFoundError, distribution  # noqa: PLC0415  # a checkout needs no 30 ms

    try:
        about = distribution("paypath")
    except PackageNotFoundError:
        return Installation(None, None, None)
    origin = json.loads(about.read_text("direct_url.json") or "{}")  # PEP 610
    if "vcs_info" in origin:
        return Installation(None, f"git+{origin['url']}", origin["vcs_info"]["commit_id"])
    return Installation(None, _named(about), None)


def same_repository(url: str, other: str | None) -> bool:
    """Tell whether two git URLs name one repository, however they are written.

    Examples:
        >>> same_repository("git+https://git.example.org/acme/paypath", "https://git.example.org/acme/paypath.git")
        True
        >>> same_repository("git@git.example.org:acme/paypath.git", "https://git.example.org/acme/paypath")
        True
        >>> same_repository("https://git.example.org/acme/paypath", "https://git.example.org/other/paypath")
        False
    """
    return other is not None and _plain(url) == _plain(other)


def _plain(url: str) -> str:
    url = re.sub(r"^gh:/?", "https://github.com/", url)
    url = re.sub(r"^gl:/?", "https://gitlab.com/", url)
    url = re.sub(r"^([\w.-]+@[\w.-]+):(?!/)", r"ssh://\1/", url)
    return re.sub(r"^[a-z+]+://(?:[^/@]*@)?", "", url).removesuffix("/").removesuffix(".git")


def _named(about: Distribution) -> str | None:
    """Return the repository that a wheel names: in `project.urls`, or where it was built from."""
    for entry in about.metadata.get_all("Project-URL") or ():
        label, _, url = str(entry).partition(",")
        if label.strip().lower() in _labels:
            return url.strip()
    carries = carried()
    return carries.repository if carries else None
