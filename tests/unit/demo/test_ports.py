"""Which port a server of the demo gets when the usual one is taken."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from paypath.demo.ports import PortTaken, choose_port


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_usual_port_that_is_taken_is_named_with_its_holder_and_another_is_chosen(taken: int) -> None:
    said: list[str] = []

    chosen = choose_port("service", asked=None, usual=taken, say=said.append)

    assert chosen != taken
    [sentence] = said
    assert f"port {taken} is held by" in sentence
    assert f"pid {os.getpid()}" in sentence
    assert f"using {chosen} instead" in sentence


def test_a_port_that_was_asked_for_is_never_replaced(taken: int) -> None:
    with pytest.raises(PortTaken, match=rf"service: port {taken} is held by .*pid {os.getpid()}.*; stop it"):
        choose_port("service", asked=taken, usual=1, say=pytest.fail)
