"""Read what is kept as variables: the process environment, ``.env`` and the secrets directory."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from platform_lib.config._fields import secrets_directory
from platform_lib.config._layer import Found, Layer, Names, read_text, suggestion
from platform_lib.config._origins import Origin, Source
from platform_lib.config._report import Mistake

_largest_secret_file = 64 * 1024
# Kubernetes puts these into every container, for each Service of the namespace, one named as the prefix too.
_kubernetes = re.compile(
    r"(?:\w+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)"
)
_kubernetes_url = re.compile(r"(?:tcp|udp|sctp)://[\d.:\[\]a-f]+")
_dotenv_line = re.compile(r"(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*)", re.DOTALL)


def read_environment(names: Names, environ: Mapping[str, str]) -> Layer:
    """Read the process environment."""
    return _read_variables(
        names,
        ((name, value, name) for name, value in environ.items() if name not in names.own),
        source="environment",
    )


def read_dotenv(names: Names, file: Path) -> Layer:
    """Read ``.env``: one ``NAME=value`` on a line, quotes as in a shell, no interpolation."""
    text, mistake = read_text(file)
    if mistake:
        return Layer(mistakes=[mistake])
    variables: list[tuple[str, str, str]] = []
    mistakes: list[Mistake] = []
    for number, line in enumerate(text.split("\n"), start=1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        location = f"{file.name}:{number}"
        match = _dotenv_line.fullmatch(stripped)
        value = _unquoted(match[2]) if match else None
        if match is None or value is None:
            mistakes.append(Mistake(location, "no assignment", "write NAME=value, with both quotes or none"))
        elif match[1] in names.own or match[1] == f"{names.prefix}_ENVIRONMENT":
            mistakes.append(
                Mistake(location, f"{match[1]} decides what is read", "set it in the environment")
            )
        else:
            variables.append((match[1], value, location))
    layer = _read_variables(names, variables, source=".env")
    return Layer(layer.found, mistakes + layer.mistakes)


def read_secrets(names: Names, directory: Path) -> Layer:
    """Read the secrets directory: a file for each variable, named as the variable in either case.

    Other files, and the directories in which Kubernetes keeps its versions, are passed over.
    """
    layer = Layer()
    try:
        files = sorted(entry for entry in directory.iterdir() if entry.is_file())
    except OSError as error:
        problem = f"cannot be listed ({error.strerror})"
        layer.mistakes.append(
            Mistake(f"{names.prefix}_{secrets_directory}", problem, "name a readable directory")
        )
        return layer
    variables: dict[str, tuple[str, str]] = {}
    for file in files:
        name = file.name.upper()
        if not name.startswith(f"{names.prefix}_") or file.name not in {name, name.lower()}:
            continue
        text, mistake = read_text(file, largest=_largest_secret_file)
        if mistake:
            layer.mistakes.append(mistake)
        elif name in variables:
            layer.mistakes.append(
                Mistake(file.name, f"{directory} holds this name in both cases", "remove one of the files")
            )
        else:
            variables[name] = (text.rstrip("\r\n"), str(file))
    read = _read_variables(
        names, ((name, value, location) for name, (value, location) in variables.items()), source="secrets"
    )
    return Layer(read.found, layer.mistakes + read.mistakes)


def _read_variables(names: Names, variables: Iterable[tuple[str, str, str]], *, source: Source) -> Layer:
    layer = Layer()
    by_variable = names.by_variable
    for name, value, location in variables:
        if not name.startswith(f"{names.prefix}_"):
            continue
        leaf = by_variable.get(name)
        if leaf is None:
            if not _is_kubernetes(name.removeprefix(f"{names.prefix}_"), value):
                fact = "no such setting" + suggestion(name, by_variable)
                where = (source if location == name else location,)
                layer.mistakes.append(Mistake(name, fact, found_in=where))
            continue
        if leaf.shape != "text" and not value.strip():
            continue  # an empty variable is how compose files and charts say "not set"
        layer.found.append(Found(leaf, value, Origin(source, location), textual=True))
    return layer


def _is_kubernetes(rest: str, value: str) -> bool:
    return bool(_kubernetes.fullmatch(rest)) or (
        (rest == "PORT" or rest.endswith("_PORT")) and bool(_kubernetes_url.fullmatch(value))
    )


def _unquoted(text: str) -> str | None:
    """Return the value that a line of ``.env`` assigns, None if a quotation mark is left open."""
    if text[:1] in {"'", '"'}:
        value, closing, rest = text[1:].partition(text[0])
        return value if closing and (not rest.strip() or rest.lstrip().startswith("#")) else None
    return re.split(r"\s+#", text, maxsplit=1)[0].strip()
