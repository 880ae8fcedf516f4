"""`cli.md`: every command, with the text of its ``--help``."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import cast
from unittest import mock

import click

from docs.generators.markdown import block, code, document, prose, table
from docs.generators.sources import service_module
from paypath.cli import main as paypath
from paypath.releasing import __main__ as releasing
from paypath.template_ci import __main__ as template_ci
from platform_lib import __main__ as platform
from platform_lib.engines import images
from platform_lib.sandbox import __main__ as sandbox
from platform_lib.security import __main__ as security

_intro = """\
# Commands

`paypath` is the developer's tool; the rest are modules, run with `python -m`.
Results go to stdout; notes and errors go to stderr, one clear message each.
Nothing asks a question where there is no terminal, and `NO_COLOR` turns colours off."""

_width = 100
_anywhere = {"COLUMNS": str(_width), "NO_COLOR": "1", "PYTHON_COLORS": "0"}

_exit_codes: Mapping[str, str] = {
    "python -m platform_lib.sandbox": (
        "0 ended as told, 1 the address is taken, 2 bad input, 78 a setting cannot be used."
    ),
    "python -m platform_lib.security": "0 the key was made, 2 bad input.",
    "python -m platform_lib.engines.images": (
        "0 both images are there, 1 there is no container engine, or it refused; 2 bad input."
    ),
    "python -m payments": (
        "0 done, or stopped as told; 1 it failed: a resource that does not open, a taken port, a migration "
        "that cannot be applied; 2 bad input; 70 it was ended, as a thread was blocked when it had to stop; "
        "78 a setting cannot be used."
    ),
}

_purposes: Mapping[str, str] = {
    "python -m platform_lib.engines.images": "Build the test images of PostgreSQL and NATS from the wheels.",
}

_service_commands: Mapping[str, str] = {
    "serve": "Open the resources, serve until SIGTERM or SIGINT, drain, and close them in reverse.",
    "migrate": "Apply every pending migration, oldest first; several replicas may do so at once.",
    "openapi": "Print the API's description as JSON; needs no setting.",
}


@dataclass(frozen=True, slots=True)
class Command:
    """One command as its user types it.

    Attributes:
        name: what is typed, such as ``paypath new``.
        purpose: the first sentence of its help.
        help: what ``--help`` prints, at a fixed width.
    """

    name: str
    purpose: str
    help: str


def page() -> str:
    """Return the page."""
    commands = _all()
    blocks = [
        _intro,
        table(("command", "what it does"), _overview(commands)),
    ]
    for one in commands:
        blocks += [f"## {one.name}", block("text", one.help)]
        if one.name == "python -m payments":
            blocks.append("The package is named after the service, here `payments`.")
        if one.name in _exit_codes:
            blocks.append(f"Exit codes: {_exit_codes[one.name]}")
    return document(*blocks)


def gaps() -> list[str]:
    """Return the commands and options without a help text, and the commands without exit codes."""
    complaints = unhelpful(paypath, "paypath")
    for one in _all():
        if not one.purpose:
            complaints.append(f"{one.name}: the command has no description; give its parser one")
        if one.name not in _exit_codes and "Exit codes:" not in one.help:
            complaints.append(f"{one.name}: the help names no exit codes; add them as its epilog")
    known = service_commands()
    if set(known) != set(_service_commands):
        complaints.append(
            f"python -m payments: the commands are {', '.join(known)}; "
            "describe these in docs/generators/cli.py"
        )
    return complaints


def _overview(commands: Iterable[Command]) -> Iterator[tuple[str, str]]:
    for one in commands:
        if one.name == "python -m payments":
            yield from ((code(f"{one.name} {inner}"), text) for inner, text in _service_commands.items())
        else:
            yield code(one.name), prose(_purposes.get(one.name, one.purpose))


def unhelpful(command: click.Command, name: str) -> list[str]:
    """Return a complaint for each command and option without a help text, all the way down."""
    complaints = [] if command.help else [f"{name}: the command has no help; give it a docstring"]
    complaints += [
        f"{name} {option.opts[-1]}: the option has no help; pass help="
        for option in command.params
        if isinstance(option, click.Option) and not option.help
    ]
    if isinstance(command, click.Group):
        for inner in command.list_commands(click.Context(command)):
            found = command.get_command(click.Context(command), inner)
            complaints += unhelpful(found, f"{name} {inner}") if found else []
    return complaints


def service_commands() -> list[str]:
    """Return the commands that the payment service takes."""
    parser = _parser(service_module("payments.__main__").main)
    return [
        choice
        for action in parser._actions  # noqa: SLF001  # argparse has no public list
        if not action.option_strings
        for choice in action.choices or ()
    ]


def _all() -> list[Command]:
    with mock.patch.dict(os.environ, _anywhere):
        return [
            *_click_commands(paypath, "paypath", None),
            *_click_commands(releasing.main, "python -m paypath.releasing", None),
            *_click_commands(template_ci.main, "python -m paypath.template_ci", None),
            _argparse_command(
                "python -m platform_lib.sandbox", lambda arguments: sandbox.main(arguments, {})
            ),
            _argparse_command("python -m platform_lib.security", security.main),
            _argparse_command("python -m platform_lib.engines.images", images.main),
            *_argparse_commands("python -m platform_lib config", platform.main),
            *_argparse_commands("python -m platform_lib health", platform.main),
            _argparse_command("python -m payments", service_module("payments.__main__").main),
        ]


def _click_commands(command: click.Command, name: str, parent: click.Context | None) -> list[Command]:
    settings = {**command.context_settings, "terminal_width": _width, "color": False}
    context = click.Context(command, info_name=name.rpartition(" ")[2], parent=parent, **settings)
    commands = [Command(name, _first_sentence(command.help), command.get_help(context))]
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            found = command.get_command(context, inner)
            commands += _click_commands(found, f"{name} {inner}", context) if found else []
    return commands


def _argparse_command(name: str, main: Callable[[Sequence[str]], int]) -> Command:
    parser = _parser(main)
    formatter = partial(cast("type[argparse.HelpFormatter]", parser.formatter_class), width=_width)
    with mock.patch.object(parser, "formatter_class", formatter):
        return Command(name, _first_sentence(parser.description), parser.format_help())


def _argparse_commands(name: str, main: Callable[[Sequence[str]], int]) -> list[Command]:
    """Return the commands of the group *name*, each with its own help."""
    parser = _inner(_parser(main))[name.rpartition(" ")[2]]
    commands = {name: parser, **{f"{name} {word}": inner for word, inner in _inner(parser).items()}}
    return [
        Command(full, _first_sentence(one.description), one.format_help()) for full, one in commands.items()
    ]


def _inner(parser: argparse.ArgumentParser) -> Mapping[str, argparse.ArgumentParser]:
    return next(
        action.choices
        for action in parser._actions  # noqa: SLF001  # argparse has no public list
        if isinstance(action, argparse._SubParsersAction)  # noqa: SLF001  # nor a public name for these
    )


class _Caught(BaseException):
    """The parser was made, and nothing else need happen."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self.parser = parser


def _parser(main: Callable[[Sequence[str]], int]) -> argparse.ArgumentParser:
    """Return the parser that *main* makes, and do nothing of what it would do then."""

    def catch(parser: argparse.ArgumentParser, *_: object, **__: object) -> None:
        raise _Caught(parser)

    with mock.patch.object(argparse.ArgumentParser, "parse_known_args", catch):
        try:
            main([])
        except _Caught as caught:
            return caught.parser
    raise TypeError(f"{main}: parses no arguments; document it in docs/generators/cli.py by hand")


def _first_sentence(text: str | None) -> str:
    paragraph = " ".join((text or "").replace("\b", "").strip().split("\n\n")[0].split())
    sentence = paragraph.split(". ")[0]
    return sentence if sentence.endswith(".") or not sentence else f"{sentence}."
