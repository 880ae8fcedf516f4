"""Answers that are refused, in one clear message, before anything is written."""

from __future__ import annotations

import keyword
import re
import sys
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import pytest
import yaml

from paypath.scaffold import BadInput, new
from paypath.scaffold.render import render
from paypath.scaffold.sources import Source, open_source
from tests.templates.engines import copier


def _refusal(plain: Path, tmp_path: Path, **answers: str) -> str:
    with pytest.raises(BadInput) as refused:
        new(tmp_path / "new", source=str(plain), answers=answers)
    assert not list(tmp_path.iterdir())
    return str(refused.value)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "ab",
        "a" * 41,
        "Payments",
        "9lives",
        "pay ments",
        "pay_ments",
        "-pay",
        "pay-",
        "pay--ments",
        "päy",
        "pay\n",
    ],
)
def test_a_name_that_no_service_can_have_is_refused(plain: Path, tmp_path: Path, name: str) -> None:
    assert re.match(
        r"service_name: \".*\" is no service name; give 3 to 40 lower-case letters, digits and single "
        r"dashes, the first a letter, such as \"card-payments\"$",
        _refusal(plain, tmp_path, service_name=name),
    )


@pytest.mark.parametrize(
    "name", ["", "ab", "a" * 41, "Till", "9t1", "card-till", "_till", "till_", "a__b", "a.b", "till\n"]
)
def test_a_name_that_no_package_can_have_is_refused(plain: Path, tmp_path: Path, name: str) -> None:
    assert re.match(
        r"package: \".*\" is no package name; give 3 to 40 lower-case letters, digits and single "
        r"underscores, the first a letter, such as \"card_payments\"$",
        _refusal(plain, tmp_path, package=name),
    )


@pytest.mark.parametrize("name", ["import", "asyncio", "platform", "secrets"])
def test_a_package_cannot_hide_python(plain: Path, tmp_path: Path, name: str) -> None:
    assert _refusal(plain, tmp_path, service_name=name) == (
        f'package: "{name}" is a word or a module of Python itself; choose another, such as "{name}_service"'
    )


@pytest.mark.parametrize("name", ["platform-lib", "paypath", "tests", "fastapi", "pytest"])
def test_a_package_cannot_hide_the_platform(plain: Path, tmp_path: Path, name: str) -> None:
    package = name.replace("-", "_")
    assert _refusal(plain, tmp_path, service_name=name) == (
        f'package: "{package}" is a name that the service needs for the platform or its tests; choose '
        f'another, such as "{package}_service"'
    )


@pytest.mark.parametrize(
    "title",
    [
        "",
        " Payments",
        "Payments ",
        "Pay  ments",
        "-",
        'The "best"',
        "a\\b",
        "a\nb",
        "{{ x }}",
        "it's",
        "x" * 51,
        "[x](y)",
    ],
)
def test_a_title_that_would_break_a_file_is_refused(plain: Path, tmp_path: Path, title: str) -> None:
    assert _refusal(plain, tmp_path, title=title).startswith("title: ")


@pytest.mark.parametrize(
    ("source", "why"),
    [
        (
            "/srv/paypath",
            "is an absolute path, which is right on one machine only; give it relative to the service",
        ),
        ("~/paypath", "is an absolute path"),
        ("C:/paypath", "is an absolute path"),
        ("file:///srv/paypath.git", "is no git URL; give one with https:// or ssh://, or a relative path"),
        ("https://git.example.org/a b", "is no git URL"),
        (
            "https://user:secret@git.example.org/a.git",
            "the URL carries credentials, and it is stored in the service",
        ),
        ("https://token@git.example.org/a.git", "the URL carries credentials"),
        ('../"paypath"', "is no path; give a git URL or a path relative to the service, such as"),
        ("", "is no path"),
    ],
)
def test_a_platform_that_others_would_not_find_is_refused(
    plain: Path, tmp_path: Path, source: str, why: str
) -> None:
    said = _refusal(plain, tmp_path, platform_source=source)

    assert said.startswith("platform_source: ")
    assert why in said


def _words_refused(source: Source) -> set[str]:
    configuration = source.read("copier.yml") or ""
    return {
        word for block in re.findall(r'= "\s([^"]*)"\.split\(\)', configuration) for word in block.split()
    }


def test_every_word_and_module_of_this_python_is_known(plain: Path) -> None:
    with open_source(str(plain)) as source:
        refused = _words_refused(source)

    for word in {*keyword.kwlist, *sys.stdlib_module_names}:
        if re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", word) and len(word) > 2:
            assert word in refused, f"copier.yml: the package names to refuse lack {word}"


def test_every_package_that_a_service_imports_is_known(plain: Path) -> None:
    with open_source(str(plain)) as source:
        refused = _words_refused(source)

    needed = {
        re.split(r"[^\w.-]", line)[0].replace("_", "-").lower()
        for line in requires("paypath") or ()
        if re.search(r'extra == "(service|testing)"', line) or ";" not in line
    } - {"paypath"}
    assert needed
    for module, distributions in packages_distributions().items():
        if needed.intersection(
            name.replace("_", "-").lower() for name in distributions
        ) and not module.startswith("_"):
            assert module in refused, f"copier.yml: the package names to refuse lack {module}"


def test_every_module_of_a_services_tests_is_known(plain: Path) -> None:
    """They are imported by their bare names."""
    with open_source(str(plain)) as source:
        refused = _words_refused(source)

    modules = {path.stem for path in plain.glob("templates/*/*/tests/*.py")}
    assert "conftest" in modules
    assert modules <= refused, f"copier.yml: the package names to refuse lack {modules - refused}"


@pytest.mark.parametrize(
    ("given", "stored", "src_path"),
    [
        ("https://git.example.org/acme/paypath.git", "https://git.example.org/acme/paypath.git", None),
        (
            "git+https://git.example.org/paypath",
            "https://git.example.org/paypath",
            "git+https://git.example.org/paypath",
        ),
        ("gh:acme/paypath", "https://github.com/acme/paypath.git", None),
        ("gh:acme/paypath.git", "https://github.com/acme/paypath.git", None),
        ("gl:/acme/paypath", "https://gitlab.com/acme/paypath.git", None),
        ("git@git.example.org:acme/paypath.git", "ssh://git@git.example.org/acme/paypath.git", None),
        ("ssh://git@git.example.org/acme/paypath.git", "ssh://git@git.example.org/acme/paypath.git", None),
        (
            "https://ci:secret@git.example.org/acme/paypath.git",
            "https://git.example.org/acme/paypath.git",
            None,
        ),
    ],
)
def test_a_url_is_stored_as_installers_and_copier_understand_it(
    plain: Path, tmp_path: Path, given: str, stored: str, src_path: str | None
) -> None:
    render(Source(given, plain), tmp_path / "new", {})

    answers = yaml.safe_load((tmp_path / "new/.copier-answers.yml").read_text())
    assert answers["platform_source"] == stored
    assert answers["_src_path"] == (src_path or stored)


def test_a_path_is_stored_relative_to_the_service(released: Path, tmp_path: Path) -> None:
    """However the checkout was named, and through links."""
    (tmp_path / "link").symlink_to(released)
    (tmp_path / "deep" / "er").mkdir(parents=True)
    copier("link", tmp_path / "near", {})
    copier(f"file://{released}/.git", tmp_path / "deep/er/far", {})
    new(tmp_path / "deep/new", source=str(tmp_path / "link"))

    for name in ("near", "deep/er/far", "deep/new"):
        answers = yaml.safe_load((tmp_path / name / ".copier-answers.yml").read_text())
        assert not answers["_src_path"].startswith("/")
        assert answers["_src_path"] == answers["platform_source"]
        assert (tmp_path / name / answers["_src_path"]).resolve() == released
