"""Read what stands on the command line: ``--http.port 8080`` or ``--http.port=8080``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from platform_lib.config._layer import Found, Layer, Names, suggestion
from platform_lib.config._origins import Origin
from platform_lib.config._report import Mistake

_source: Literal["command line"] = "command line"


def read_arguments(names: Names, arguments: Sequence[str]) -> Layer:
    """Read the options of the command line; of one that is given twice the last holds.

    A secret is refused there, since every process of the machine can read the command lines of the others.
    No text but the name of an option gets into a mistake: a stray word may be a secret.
    """
    layer = Layer()
    known = {f"--{leaf.dotted}": leaf for leaf in names.leaves}
    rest = list(arguments)
    while rest:
        position = f"argument {len(arguments) - len(rest) + 1} of the {_source}"
        option, equals, value = rest.pop(0).partition("=")
        if not option.startswith("--"):
            layer.mistakes.append(Mistake(position, "is no option", "write --name value, or --name=value"))
            continue
        given = bool(equals)
        if not given and rest and not rest[0].startswith("--"):
            value, given = rest.pop(0), True
        leaf = known.get(option)
        if leaf is None:
            fact = "no such setting" + suggestion(option, known)
            layer.mistakes.append(Mistake(option, fact, found_in=(_source,)))
        elif leaf.secret:
            advice = f"set {leaf.variable(names.prefix)} in the environment or in the secrets directory"
            layer.mistakes.append(Mistake(option, "is secret; others can read a command line", advice))
        elif not given:
            layer.mistakes.append(Mistake(option, "has no value", f"write {option}=VALUE"))
        else:
            layer.found.append(Found(leaf, value, Origin(_source, option), textual=True))
    return layer
