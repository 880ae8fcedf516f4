"""`problems.md`: every problem that an API of ours can answer."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

from docs.generators.markdown import block, code, document, prose, table
from docs.generators.sources import (
    module_names,
    public_place,
    repository,
    service_module,
    sources,
)
from platform_lib.errors import NotFound, Problem

_head = ("status", "code", "title", "retryable", "meaning", "raised by")

_intro = """\
# Problems

An error is answered as a problem document (RFC 9457, `application/problem+json`), by every service in the same form.
Programs go by `code`, which never changes; `title` is the same for people, and `detail` says what happened this time.
With `retryable`, the same request can succeed later as it is.
`trace_id` finds the request in the traces; an invalid request has `errors` besides, with each place and what is expected there.
A decline is no problem but an outcome: it is answered 201, with the code of the decline in the payment."""  # noqa: E501  # one sentence a line

_platform = """\
## Of every service

A bare HTTP status, such as the router's 404 and 405, gets the code that its phrase makes: `not_found`, `method_not_allowed`."""  # noqa: E501  # the same

_service = """\
## Of the payment service

The refusals of the domain, in `payments.domain.refusals`; a team adds its own there."""

_connector = """\
## Of the provider connector

What a connector answers to the payment services that ask it, in `card_connector.domain`; the words are the sandbox's, since both speak the provider API."""  # noqa: E501  # the same

_operations = """\
### By operation

What each operation can answer, as its OpenAPI description has it."""

_sandbox = """\
## Of the sandbox

What the [provider sandbox](sandbox.md) answers to a service; the merchant never sees these.
Besides them it answers {shared}, which mean what they mean above."""


def page() -> str:
    """Return the page."""
    platform, sandbox = _platform_families()
    raisers = _raisers()
    shared = [code(kind.code) for kind in platform if any(map(_in_sandbox, raisers.get(kind, [])))]
    example = NotFound("There is no payment of this id").document(trace_id="0af7651916cd43dd8448eb211c80319c")
    return document(
        _intro,
        block("json", json.dumps(example, indent=2)),
        _platform,
        _table(platform, _outside_of_sandbox(raisers)),
        _service,
        _table(_of_service("payments"), raisers),
        _operations,
        table(("operation", "problems"), _by_operation("payments")),
        _connector,
        _table(_of_service("card_connector"), raisers),
        _operations.replace("By operation", "By operation of the connector"),
        table(("operation", "problems"), _by_operation("card_connector")),
        _sandbox.format(shared=", ".join(shared)),
        _table(sandbox, raisers),
    )


def gaps() -> list[str]:
    """Return the problems without a meaning, and the codes that mean two things in one API."""
    platform, sandbox = _platform_families()
    services = [_of_service(package) for package in sources]
    return [
        *unexplained([*platform, *sandbox, *chain(*services)]),
        *(complaint for one in [sandbox, *services] for complaint in ambiguous([*platform, *one])),
    ]


def unexplained(kinds: Iterable[type[Problem]]) -> list[str]:
    """Return a complaint for each problem without a docstring."""
    return [f"{_name(kind)}: the problem has no docstring; add one" for kind in kinds if not kind.__doc__]


def ambiguous(kinds: Iterable[type[Problem]]) -> list[str]:
    """Return a complaint for each problem that shares its code with another one."""
    seen: dict[str, type[Problem]] = {}
    complaints = []
    for kind in kinds:
        other = seen.setdefault(kind.code, kind)
        if other is not kind and not issubclass(kind, other):
            complaints.append(
                f"{_name(kind)}: the code {kind.code} is also that of {_name(other)}; rename one"
            )
    return complaints


def _platform_families() -> tuple[list[type[Problem]], list[type[Problem]]]:
    platform = [kind for kind in _problems("platform_lib", repository) if kind is not Problem]
    sandbox = [kind for kind in platform if _in_sandbox(kind.__module__)]
    return [kind for kind in platform if kind not in sandbox], sandbox


def _of_service(package: str) -> list[type[Problem]]:
    return _problems(package, sources[package])


def _in_sandbox(module: str) -> bool:
    return module.startswith("platform_lib.sandbox")


def _outside_of_sandbox(raisers: Mapping[type[Problem], list[str]]) -> Mapping[type[Problem], list[str]]:
    return {kind: [place for place in places if not _in_sandbox(place)] for kind, places in raisers.items()}


def _problems(package: str, root: Path) -> list[type[Problem]]:
    """Return the problems that the text of *package* defines, by status and code."""
    found = {
        value
        for module in _modules(package, root)
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Problem) and value.__module__ == module.__name__
    }
    return sorted(found, key=lambda kind: (kind.status, kind.code, kind.__name__))


def _modules(package: str, root: Path) -> Iterator[Any]:
    load = importlib.import_module if root == repository else service_module
    return (load(name) for name in module_names(package, root))


@cache
def _raisers() -> Mapping[type[Problem], list[str]]:
    """Return the modules that make each problem, as the names under which they are public."""
    raisers: dict[type[Problem], list[str]] = {}
    for package, root in {"platform_lib": repository, **sources}.items():
        for module in _modules(package, root):
            for kind in _made_in(module):
                places = raisers.setdefault(kind, [])
                if public_place(module.__name__) not in places:
                    places.append(public_place(module.__name__))
    return raisers


def _made_in(module: Any) -> Iterator[type[Problem]]:
    """Yield each problem that *module* calls by name, or raises without a call."""
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        made = node.func if isinstance(node, ast.Call) else node.exc if isinstance(node, ast.Raise) else None
        value = _value(module, made)
        if isinstance(value, type) and issubclass(value, Problem):
            yield value


def _value(module: Any, node: ast.expr | None) -> Any:
    match node:
        case ast.Name(id=name):
            return vars(module).get(name)
        case ast.Attribute(value=ast.Name(id=owner), attr=name):
            return getattr(vars(module).get(owner), name, None)
    return None


def _table(kinds: Iterable[type[Problem]], raisers: Mapping[type[Problem], list[str]]) -> str:
    return table(
        _head,
        (
            (
                str(kind.status),
                code(kind.code),
                kind.title,
                "yes" if kind.retryable else "",
                prose(" ".join((kind.__doc__ or "").split("\n\n")[0].split())),
                ", ".join(map(code, raisers.get(kind, []))) or _nobody(kind),
            )
            for kind in kinds
        ),
    )


def _nobody(kind: type[Problem]) -> str:
    ours = tuple(f"{package}." for package in ("platform_lib", *sources))
    has_kinds = any(one.__module__.startswith(ours) for one in kind.__subclasses__())
    return f"the base of others, `{kind.__name__}`" if has_kinds else "a service's own code"


def _by_operation(package: str) -> Iterator[tuple[str, str]]:
    description = json.loads((sources[package].parent / "openapi.json").read_text(encoding="utf-8"))
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            answers = (
                f"{status} {', '.join(map(code, _codes(response)))}"
                for status, response in sorted(operation["responses"].items())
                if _codes(response)
            )
            yield code(f"{method.upper()} {path}"), "; ".join(answers)


def _codes(response: Mapping[str, Any]) -> list[str]:
    return list(response.get("content", {}).get("application/problem+json", {}).get("examples", {}))


def _name(kind: type[Problem]) -> str:
    return f"{kind.__module__}.{kind.__name__}"
