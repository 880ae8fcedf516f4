"""One render through copier: the same bytes as plain `copier copy` gives, and its errors in our words."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory

from paypath.scaffold.errors import BadInput, ScaffoldError
from paypath.scaffold.layout import described, lay_out
from paypath.scaffold.leaving import leaving_by_signal
from paypath.scaffold.sources import Source

answers_file = ".copier-answers.yml"
"""Where a service remembers its template, the version and the answers, below its folder."""

_invalid_answer = re.compile(r"^Validation error for question '(?P<name>\w+)': (?P<why>.*)$", re.DOTALL)


def render(
    source: Source,
    folder: Path,
    answers: Mapping[str, str],
    *,
    suggestions: Mapping[str, str] | None = None,
    prompt: bool = False,
) -> None:
    """Render *source* into *folder*.

    Args:
        source: the templates.
        folder: where the service's files go; `folder` counts as its place for paths relative to the service.
        answers: fixed answers by question, `kind` among them.
        suggestions: other defaults than the template's for what is asked.
        prompt: ask, on the terminal, what *answers* leaves open; otherwise defaults hold.

    Raises:
        BadInput: an answer is not valid.
        ScaffoldError: the template cannot be rendered.
        KeyboardInterrupt: the user left at a question.
    """
    from copier._settings import SettingsModel  # noqa: PLC0415  # half a second, which `kinds` need not pay
    from copier.errors import CopierError  # noqa: PLC0415
    from jinja2 import TemplateError  # noqa: PLC0415

    from paypath.scaffold._worker import FreshWorker  # noqa: PLC0415

    try:
        with (
            _laid_out(source) as laid,
            warnings.catch_warnings(),
            leaving_by_signal() if prompt else nullcontext(),
        ):
            # Copier's warnings are about how it works inside; what matters to the user is in `source.notes`.
            warnings.simplefilter("ignore")
            worker = FreshWorker(
                src_path=str(laid),
                dst_path=folder,
                # The origin, not the folder that is rendered, is what the service remembers.
                data={"_src_path": source.origin, **answers},
                user_defaults=dict(suggestions or {}),
                defaults=not prompt,
                # A service must not depend on who generated it, so nothing comes from the user's settings.
                settings=SettingsModel(),
                quiet=True,
            )
            if source.commit is not None:
                worker.told = {
                    "_commit": described(source.folder, source.commit),
                    "_src_path": source.origin,
                }
            with worker:
                worker.run_copy()
    except KeyboardInterrupt:  # copier's is a CopierError too
        raise
    except ValueError as error:
        if invalid := _invalid_answer.match(str(error)):
            raise BadInput(f"{invalid['name']}: {invalid['why']}") from error
        raise ScaffoldError(f"copier: {error}") from error
    except (CopierError, TemplateError) as error:
        raise ScaffoldError(f"copier: {error}") from error


@contextmanager
def _laid_out(source: Source) -> Iterator[Path]:
    """Give the folder to render. Copier would clone the repository and check all of it out."""
    if source.commit is None:
        yield source.folder
        return
    with TemporaryDirectory(prefix="paypath-template-") as scratch:
        laid = Path(scratch) / "template"
        laid.mkdir()
        yield lay_out(source.folder, source.commit, laid)
