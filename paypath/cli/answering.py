"""Answers on the command line."""

from __future__ import annotations

from paypath.cli.output import Refused


def pair(text: str) -> tuple[str, str]:
    """Return the question and the answer of NAME=ANSWER."""
    name, equals, answer = text.partition("=")
    if not equals or not name:
        raise Refused(f'--data: "{text}" is no answer; write NAME=ANSWER, such as service_name=card-payments')
    return name, answer
