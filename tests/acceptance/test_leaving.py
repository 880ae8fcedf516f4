"""SIGTERM leaves a question whatever the prompt is doing when it comes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.acceptance.terminal import on_a_terminal

root = Path(__file__).parents[2]

# What the prompt does beside a question begins as soon as the question is drawn, so a signal from someone who
# reads the screen may meet it there.
asking = """
import os
import signal
import sys

import questionary

from paypath.scaffold.leaving import leaving_by_signal


async def beside_the_question():
    {first}
    os.kill(os.getpid(), signal.SIGTERM)


def begin():
    prompt.create_background_task(beside_the_question())


signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
with leaving_by_signal():
    question = questionary.{question}
    prompt = question.application
    prompt.pre_run_callables.append(begin)
    answer = question.unsafe_ask()
print("went on with", answer)
"""


@pytest.mark.parametrize("first", ["pass", "prompt.exit(result='till')"], ids=["unanswered", "just answered"])
@pytest.mark.parametrize("question", ["text('Name?')", "select('Kind?', ['a', 'b'])"], ids=["text", "list"])
def test_sigterm_beside_a_question_ends_the_command_without_a_word(
    tmp_path: Path, question: str, first: str
) -> None:
    script = asking.format(question=question, first=first)

    with on_a_terminal(
        [sys.executable, "-c", script], folder=tmp_path, environment={**os.environ, "PYTHONPATH": str(root)}
    ) as terminal:
        assert terminal.end() == 143

    assert "Unhandled" not in terminal.screen
    assert "went on" not in terminal.screen
