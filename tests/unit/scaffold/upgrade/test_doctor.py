"""The doctor sees every trap that a service can show, and says how to mend it."""

from __future__ import annotations

from pathlib import Path

import pytest

from paypath.scaffold.git import git
from paypath.scaffold.upgrade import Finding, Severity, diagnose, find_service
from tests.unit.scaffold.upgrade.world import World, changed, configuration, edit, settings, write


def _found(world: World, service: Path) -> dict[str, Finding]:
    return {finding.id: finding for finding in diagnose(world.run, find_service(service))}


def _stored(service: Path, old: str, new: str) -> None:
    text = (service / ".copier-answers.yml").read_text()
    edit(service, {".copier-answers.yml": changed(text, old, new)})


def test_a_healthy_service_has_only_its_local_source_to_mend(world: World) -> None:
    found = _found(world, world.service())

    assert set(found) == {"source-path"}
    assert "git URL" in found["source-path"].mend


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ("_commit: v1.0.0", "_commit: HEAD", "version-unknown"),
        ("_commit: v1.0.0", "_commit: v9.9.9", "version-unknown"),
        ("_commit: v1.0.0\n", "", "answers-file"),
        ("currency: EUR\n", "", "answers"),
        ("currency: EUR", "currency: CHF", "answers"),
        ("currency: EUR", "currency: EUR\ncolour: red", "answer-unknown"),
        ("service_name: shop", "service_name: no", "answer-type"),
        ("_src_path: /", "_src_path: /gone/", "source-unreachable"),
        ("_src_path: /", "_src_path: file:///", "source-file-url"),
        ("_src_path: /", "_src_path: https://ada:secret@localhost:1/", "source-credentials"),
    ],
)
def test_a_trap_in_the_answers_file_is_seen(world: World, old: str, new: str, name: str) -> None:
    service = world.service()
    _stored(service, old, new)

    found = _found(world, service)

    assert name in found
    assert found[name].severity is not Severity.NOTE
    assert found[name].what
    assert found[name].mend
    assert "secret" not in str(found.values())


def test_traps_in_the_files_are_seen(world: World) -> None:
    service = world.service()
    edit(
        service,
        {
            "README.md": "<<<<<<< ours\na\n=======\nb\n>>>>>>> theirs\n",
            "app.py.rej": "@@\n",
            ".cruft.json": "{}\n",
            ".gitignore": "settings.py\n",
            "pyproject.toml": '[project]\nname = "shop"\ndependencies = ["paypath[service]~=0.9.0"]\n',
        },
    )
    (service / "settings.py").write_bytes(settings.replace("\n", "\r\n").encode())
    git("add", "--force", "settings.py", folder=service)
    edit(service, {})

    found = _found(world, service)

    assert found["conflict-markers"].paths == ("README.md",)
    assert found["rejected"].paths == ("app.py.rej",)
    assert found["cruft"].paths == (".cruft.json",)
    assert found["ignored"].paths == ("settings.py",)
    assert found["line-ends"].paths == ("settings.py",)
    assert found["version-skew"].what == "pyproject.toml: wants the library 0.9, the template is v1.0.0"
    assert set(found["drift"].paths) == {"README.md", "settings.py", ".gitignore"}


def test_tags_that_no_upgrade_sees_and_tags_on_one_commit_are_seen(world: World) -> None:
    service = world.service()
    git("tag", "payments-v2.0.0", folder=world.template)
    git("tag", "v1.0.1", folder=world.template)

    found = _found(world, service)

    assert "payments-v2.0.0" in found["tags"].what
    assert "v1.0.0 and v1.0.1 are one commit" in found["two-tags"].what


def test_what_plain_copier_would_lose_in_the_next_version_is_told(world: World) -> None:
    service = world.service()
    edit(service, {"settings.py": f"{settings}ours = 1\n", "app.py": "ours = 2\n"})
    write(service, {".env": "SECRET=local\n"})
    world.rename("settings.py", "configuration.py")
    world.release("v1.1.0", {"app.py": None, ".env": "SECRET=template\n"})

    findings = diagnose(world.run, find_service(service))

    lost = {path for finding in findings if finding.id == "copier-loses" for path in finding.paths}
    assert lost == {"configuration.py", "app.py", ".env"}
    [ahead] = [finding for finding in findings if finding.id == "conflicts-ahead"]
    assert set(ahead.paths) == {"app.py", ".env"}


def test_an_answer_that_the_next_version_does_not_take_is_told_beforehand(world: World) -> None:
    service = world.service(currency="GBP")
    fewer = changed(configuration, "[EUR, GBP, USD]", "[EUR, USD]")
    world.release("v1.1.0", {"new.txt": "new\n"}, {"copier.yml": fewer})

    assert _found(world, service)["answers-next"].what.startswith("currency: ")


def test_an_edited_file_of_the_platforms_is_told_and_a_seeded_one_is_never_touched(world: World) -> None:
    owned = 'platform = ["settings.py"]\nseeded = ["README.md", "docs/guide.md"]\n'
    world.release("v1.0.1", {".paypath/ownership.toml": owned})
    service = world.service(ref="v1.0.1")
    edit(service, {"settings.py": f"{settings}ours = 1\n", "docs/guide.md": None})
    world.release("v1.1.0", {"README.md": "all new\n", "docs/guide.md": "all new\n", "new.txt": "new\n"})

    plan = world.plan(service)

    assert _found(world, service)["platform-owned"].paths == ("settings.py",)
    assert plan.open == ()
    classes = {change.path: (change.file_class.value, change.owner) for change in plan.files}
    assert classes["README.md"] == ("unchanged", "seeded")
    assert classes["docs/guide.md"] == ("team-only", "seeded")
    assert classes["settings.py"] == ("team-only", "platform")
