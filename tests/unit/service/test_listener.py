"""The listening socket, and who holds a port."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from platform_lib.service._listener import AddressUnusable, PortTaken, bind, port_holder


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_taken_port_is_refused_with_the_name_of_its_holder(taken: int) -> None:
    with pytest.raises(PortTaken) as caught:
        bind("127.0.0.1", taken, setting="SHOP_HTTP_PORT")

    message = str(caught.value)
    assert message.startswith(f"SHOP_HTTP_PORT: port {taken} on 127.0.0.1 is taken by ")
    assert f"(pid {os.getpid()}: " in message
    assert message.endswith("; stop it, or set SHOP_HTTP_PORT to a free port")


def test_a_port_nobody_listens_on_has_no_holder() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))

        assert port_holder(unused.getsockname()[1]) is None


def test_a_bound_socket_refuses_clients_until_it_listens() -> None:
    with bind("127.0.0.1", 0, setting="SHOP_HTTP_PORT") as listener, socket.socket() as client:
        assert client.connect_ex(listener.getsockname()) != 0


def test_an_address_of_another_machine_is_refused_by_name() -> None:
    with pytest.raises(AddressUnusable, match=r"^SHOP_HTTP_PORT: cannot listen on 192\.0\.2\.1:8080: "):
        bind("192.0.2.1", 8080, setting="SHOP_HTTP_PORT")


def test_a_holder_is_not_named_where_proc_does_not_tell(tmp_path: Path, taken: int) -> None:
    assert port_holder(taken, proc=tmp_path) is None


def test_a_command_with_a_password_in_it_is_shown_without(tmp_path: Path) -> None:
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "tcp").write_text(
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
        "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4242 1\n"
    )
    process = tmp_path / "77"
    (process / "fd").mkdir(parents=True)
    (process / "fd" / "3").symlink_to("socket:[4242]")
    (process / "comm").write_text("psql\n")
    (process / "cmdline").write_bytes(b"psql\0postgres://app:hunter2@db/shop\0")

    holder = port_holder(8080, proc=tmp_path)

    assert holder is not None
    assert holder.startswith("psql (pid 77: psql postgres://app:")
    assert "hunter2" not in holder
