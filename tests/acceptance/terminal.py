"""A command on a terminal, as a person sees and types it."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

_control = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|\r")


class Terminal:
    """One running command; `screen` is everything that it showed."""

    def __init__(self, process: subprocess.Popen[bytes], end: int) -> None:
        self.process = process
        self._end = end
        self.raw = ""

    @property
    def screen(self) -> str:
        """Return what was shown, without colours and cursor movements."""
        return _control.sub("", self.raw)

    def wait_for(self, text: str, seconds: float = 30) -> None:
        """Read until *text* is on the screen."""
        deadline = time.monotonic() + seconds
        while text not in self.screen:
            assert self._read(deadline), f"{text!r} never came; the screen:\n{self.screen}"

    def type(self, keys: str) -> None:
        """Press *keys*."""
        os.write(self._end, keys.encode())

    def end(self, seconds: float = 30) -> int:
        """Read to the end of the command and return its exit code."""
        deadline = time.monotonic() + seconds
        while self._read(deadline):
            pass
        return self.process.wait(timeout=max(0.1, deadline - time.monotonic()))

    def _read(self, deadline: float) -> bool:
        ready, _, _ = select.select([self._end], [], [], max(0.0, deadline - time.monotonic()))
        try:
            block = os.read(self._end, 65536) if ready else b""
        except OSError:  # what Linux says when the last process has left the terminal
            block = b""
        self.raw += block.decode(errors="replace")
        return bool(block)


@contextmanager
def on_a_terminal(
    command: Sequence[str | Path], *, folder: Path, environment: Mapping[str, str]
) -> Iterator[Terminal]:
    """Run *command* on a terminal of its own; it is gone after the block."""
    end, its_end = pty.openpty()
    process = subprocess.Popen(
        [str(part) for part in command],
        cwd=folder,
        # The terminal does not answer when asked where its cursor is.
        env={**environment, "TERM": "xterm-256color", "PROMPT_TOOLKIT_NO_CPR": "1"},
        stdin=its_end,
        stdout=its_end,
        stderr=its_end,
        start_new_session=True,
    )
    os.close(its_end)
    try:
        yield Terminal(process, end)
    finally:
        process.kill()
        process.wait()
        os.close(end)
