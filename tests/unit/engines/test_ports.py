"""Free ports and the holders of taken ones, with real sockets."""

from __future__ import annotations

import os
import socket

import psutil

from platform_lib.engines import free_port, holder_of, port_is_taken


def test_a_free_port_can_be_listened_on() -> None:
    with socket.create_server(("127.0.0.1", free_port())):
        pass


def test_a_port_with_a_listener_is_taken_and_its_holder_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        assert port_is_taken(port)
        assert holder_of(port).startswith(f"{psutil.Process().name()} (pid {os.getpid()}: ")

    assert not port_is_taken(port)


def test_a_listener_on_all_addresses_takes_the_loopback_address_too() -> None:
    with socket.create_server(("0.0.0.0", 0)) as server:  # noqa: S104  # what is tested
        assert port_is_taken(server.getsockname()[1])


def test_the_holder_of_a_port_that_nobody_known_listens_on_is_another_process() -> None:
    assert holder_of(free_port()) == "another process"
