"""Law 7: templates need no trust: no tasks, no extensions, no hooks, nothing time-dependent in a render."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.laws.source import Breach, files, plant, report, repository

needs_trust = re.compile(
    r"^(_tasks|_migrations|_jinja_extensions|_secret_questions_file|_external_data)\s*:", re.MULTILINE
)
time_dependent = re.compile(
    r"{%-?\s*now\b|\bnow\(|\bstrftime\(|random_ascii_string|uuid4\(|\|\s*random\b|ansible_date_time"
)


def breaches_of_trust(root: Path) -> list[Breach]:
    found: list[Breach] = []
    for path in [*root.glob("copier.y*ml"), *files(root / "templates", "*.y*ml")]:
        text = path.read_text(encoding="utf-8")
        found.extend(
            _at(
                root,
                path,
                text,
                match.start(),
                f"{match.group(1)} needs --trust; declare data that our tool runs",
            )
            for match in needs_trust.finditer(text)
        )
    if (root / "templates").is_dir():
        found.extend(
            Breach(
                str(path.relative_to(root)),
                1,
                "a hook runs code at render time; render the right files instead",
            )
            for path in sorted((root / "templates").glob("*/hooks/*"))
        )
        found.extend(
            Breach(
                str(path.relative_to(root)),
                1,
                "a link in a tree, or out of the templates, renders differently in the two engines; "
                "include a file of templates/shared",
            )
            for path in sorted((root / "templates").rglob("*"))
            if path.is_symlink() and not _leads_to_what_is_shared(root, path)
        )
    for path in files(root / "templates", "*"):
        text = path.read_text(encoding="utf-8", errors="replace")
        if path.name == "cookiecutter.json" and '"_extensions"' in text:
            found.append(
                Breach(str(path.relative_to(root)), 1, "_extensions runs code; use what both engines share")
            )
        if "{{cookiecutter" not in str(path) and (root / "templates/shared") not in path.parents:
            continue
        found.extend(
            _at(
                root,
                path,
                text,
                match.start(),
                "a render must be the same tomorrow; pass the value as an answer",
            )
            for block in re.finditer(r"{[{%].*?[}%]}", text, re.DOTALL)
            for match in [time_dependent.search(text, block.start(), block.end())]
            if match
        )
    return found


def _leads_to_what_is_shared(root: Path, link: Path) -> bool:
    """Tell whether *link* is the one of its kind by which cookiecutter finds what is included."""
    place = link.relative_to(root / "templates").parts
    return place[1:] == ("templates", "templates", "shared") and str(link.readlink()) == "../../../shared"


def _at(root: Path, path: Path, text: str, position: int, message: str) -> Breach:
    return Breach(str(path.relative_to(root)), text.count("\n", 0, position) + 1, message)


def test_templates_need_no_trust() -> None:
    assert (repository / "templates" / "payment-service").is_dir()
    breaches = breaches_of_trust(repository)
    assert not breaches, report(breaches)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("copier.yml", "_tasks: [make]\n"),
        ("templates/payment-service/questions.yml", "_jinja_extensions: [jinja2_time.TimeExtension]\n"),
        ("templates/payment-service/hooks/post_gen_project.py", "print(1)\n"),
        ("templates/payment-service/cookiecutter.json", '{"_extensions": ["x.Y"]}\n'),
        ("templates/payment-service/{{cookiecutter.service_name}}/LICENSE", "{% now 'utc', '%Y' %}\n"),
        ("templates/shared/LICENSE", "{% now 'utc', '%Y' %}\n"),
    ],
)
def test_a_template_that_needs_trust_is_found(tmp_path: Path, path: str, text: str) -> None:
    assert len(breaches_of_trust(plant(tmp_path, path, text))) == 1


@pytest.mark.parametrize(
    ("link", "target", "found"),
    [
        ("templates/till/templates/templates/shared", "../../../shared", 0),
        ("templates/till/templates/templates/shared", "../../../..", 1),
        ("templates/till/{{cookiecutter.service_name}}/Makefile", "../../shared/Makefile", 1),
    ],
)
def test_one_link_of_a_kind_leads_to_what_is_shared_and_no_other(
    tmp_path: Path, link: str, target: str, found: int
) -> None:
    plant(tmp_path, "templates/shared/Makefile", "help:\n")
    (tmp_path / link).parent.mkdir(parents=True)
    (tmp_path / link).symlink_to(target)

    assert len(breaches_of_trust(tmp_path)) == found
