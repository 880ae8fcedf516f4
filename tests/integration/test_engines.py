"""One contract for both engines, so that the embedded one cannot lie; then what each owes the machine."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import asyncpg
import nats
import psutil
import pytest

from platform_lib.engines import (
    Engine,
    EngineUnavailable,
    NoContainerEngine,
    container_engine,
    free_port,
    images,
    nats_engine,
    postgres_engine,
    remove_containers,
)

Kind = Literal["embedded", "container"]
both = [pytest.param("embedded"), pytest.param("container", marks=pytest.mark.container)]


@pytest.fixture(scope="module", params=both)
def postgres(request: pytest.FixtureRequest) -> Iterator[Engine]:
    with postgres_engine(choice=request.param) as engine:
        yield engine


@pytest.fixture(scope="module", params=both)
def broker(request: pytest.FixtureRequest) -> Iterator[Engine]:
    with nats_engine(choice=request.param) as engine:
        yield engine


# What a service may rely on.


async def test_postgres_is_version_18_and_the_user_may_do_everything(postgres: Engine) -> None:
    connection = await asyncpg.connect(postgres.url)

    try:
        assert connection.get_server_version().major == 18
        assert await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
    finally:
        await connection.close()


async def test_postgres_sorts_by_code_point_and_knows_letters_beyond_ascii(postgres: Engine) -> None:
    connection = await asyncpg.connect(postgres.url)

    try:
        words = await connection.fetch("SELECT w FROM unnest(ARRAY['b', 'a', 'B', 'é', 'z']) w ORDER BY w")
        assert [row["w"] for row in words] == ["B", "a", "b", "z", "é"]
        assert await connection.fetchval("SELECT upper('é')") == "É"
    finally:
        await connection.close()


async def test_postgres_tells_time_in_utc(postgres: Engine) -> None:
    connection = await asyncpg.connect(postgres.url)

    try:
        assert await connection.fetchval("SHOW timezone") == "UTC"
    finally:
        await connection.close()


async def test_postgres_clones_a_database_from_a_template(postgres: Engine) -> None:
    connection = await asyncpg.connect(postgres.url)
    try:
        await connection.execute("CREATE DATABASE original")
        original = await asyncpg.connect(postgres.url.replace("/postgres", "/original"))
        await original.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        await original.close()
        await connection.execute("CREATE DATABASE clone TEMPLATE original STRATEGY file_copy")
    finally:
        await connection.close()

    clone = await asyncpg.connect(postgres.url.replace("/postgres", "/clone"))
    try:
        assert await clone.fetchval("SELECT answer FROM kept") == 42
    finally:
        await clone.close()


async def test_nats_keeps_a_message_once_however_often_it_is_published(broker: Engine) -> None:
    connection = await nats.connect(broker.url)
    try:
        streams = connection.jetstream()
        await streams.add_stream(name="ONCE", subjects=["once.>"])
        for _ in range(3):
            await streams.publish("once.a", b"paid", headers={"Nats-Msg-Id": "1"})

        assert (await streams.stream_info("ONCE")).state.messages == 1
    finally:
        await connection.close()


async def test_nats_delivers_again_what_was_not_acknowledged(broker: Engine) -> None:
    connection = await nats.connect(broker.url)
    try:
        streams = connection.jetstream()
        await streams.add_stream(name="AGAIN", subjects=["again.>"])
        await streams.publish("again.a", b"paid")
        consumer = await streams.pull_subscribe("again.>", durable="reader")
        (first,) = await consumer.fetch(1, timeout=5)
        await first.nak()
        (second,) = await consumer.fetch(1, timeout=5)
        await second.ack()

        assert second.data == b"paid"
        assert second.metadata.num_delivered == 2
    finally:
        await connection.close()


@pytest.mark.container
def test_the_test_image_satisfies_the_readiness_check_of_testcontainers_itself() -> None:
    """In a process of its own, as that check leaves sockets open."""
    code = (
        "import sys; from testcontainers.community.postgres import PostgresContainer\n"
        "with PostgresContainer(sys.argv[1], driver=None) as container: print(container.get_connection_url())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, images.build_image("postgres")],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "TESTCONTAINERS_RYUK_DISABLED": "true"},
    )

    assert done.stdout.startswith("postgresql://test:test@")


def test_an_engine_says_who_it_is_but_not_its_password(postgres: Engine) -> None:
    line = str(postgres)

    assert line.startswith(f"postgres {postgres.name} (")
    assert "asked for" in line
    assert "://" not in line


# Ports.


@pytest.mark.parametrize("kind", both)
@pytest.mark.parametrize("run", [postgres_engine, nats_engine])
def test_an_engine_listens_on_the_port_it_is_given_and_frees_it(
    kind: Kind, run: Callable[..., object]
) -> None:
    port = free_port()

    with run(choice=kind, port=port) as engine:  # type: ignore[attr-defined]
        assert urlsplit(engine.url).port == port
        assert _answers(port)

    assert not _answers(port)


@pytest.mark.parametrize("kind", both)
@pytest.mark.parametrize("run", [postgres_engine, nats_engine])
def test_a_taken_port_is_refused_with_its_holder(kind: Kind, run: Callable[..., object]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        holder_name = f"{psutil.Process().name()} (pid {os.getpid()}: "

        with (
            pytest.raises(EngineUnavailable, match=f"port {port} is in use by ") as caught,
            run(choice=kind, port=port),  # type: ignore[attr-defined]
        ):
            pass

    assert holder_name in str(caught.value)


def test_a_port_taken_in_the_last_moment_is_exchanged_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        offers = iter([holder.getsockname()[1], free_port()])
        monkeypatch.setattr("platform_lib.engines._embedded.free_port", lambda: next(offers))

        with postgres_engine(choice="embedded") as engine:
            assert urlsplit(engine.url).port != holder.getsockname()[1]


def test_two_servers_run_beside_each_other() -> None:
    with postgres_engine(choice="embedded") as one, postgres_engine(choice="embedded") as other:
        assert one.url != other.url


# Life and death.


def test_a_server_started_from_a_thread_outlives_that_thread() -> None:
    """The kernel's death signal goes with the thread that forked: that must not be the caller's."""
    before = psutil.Process().children()
    entered = []
    context = nats_engine(choice="embedded")
    thread = threading.Thread(target=lambda: entered.append(context.__enter__()))
    thread.start()
    thread.join()
    _eventually(lambda: not Path(f"/proc/self/task/{thread.native_id}").exists())
    try:
        servers = [child for child in psutil.Process().children() if child not in before]
        ended, running = psutil.wait_procs(servers, timeout=0.5)
        assert (len(ended), len(running)) == (0, 1)
        assert _answers(urlsplit(entered[0].url).port)
    finally:
        context.__exit__(None, None, None)


_owner = """
import sys
from platform_lib.engines import nats_engine, postgres_engine
with postgres_engine(choice=sys.argv[1]) as postgres, nats_engine(choice=sys.argv[1]) as nats:
    print(postgres.url, nats.url, flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("kind", both)
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_whatever_ends_the_owner_ends_its_servers(kind: Kind, number: signal.Signals, tmp_path: Path) -> None:
    script = tmp_path / "owner.py"
    script.write_text(_owner)
    with subprocess.Popen(
        [sys.executable, script, kind], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout
        ports = [urlsplit(url).port or 0 for url in owner.stdout.readline().split()]
        descendants = psutil.Process(owner.pid).children(recursive=True)
        assert len(ports) == 2
        assert all(map(_answers, ports))

        owner.send_signal(number)
        owner.wait()

    _eventually(lambda: not any(map(_answers, ports)))
    _eventually(lambda: not any(map(_runs, descendants)))
    _eventually(lambda: _containers_of(owner.pid) == [])


def test_the_folder_of_a_killed_owner_is_removed_at_the_next_start(tmp_path: Path) -> None:
    script = tmp_path / "owner.py"
    script.write_text(_owner)
    with subprocess.Popen(
        [sys.executable, script, "embedded"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout
        owner.stdout.readline()
        (server,) = [
            process
            for process in psutil.Process(owner.pid).children()
            if "postgres" in process.cmdline()[0] and process.is_running()
        ]
        left = Path(server.cmdline()[2]).parent
        owner.kill()
        owner.wait()
    assert left.exists()
    _eventually(lambda: not _runs(server))

    with nats_engine(choice="embedded"):
        pass

    assert not left.exists()
    assert left.parent == Path(tempfile.gettempdir())


@pytest.mark.container
def test_containers_of_the_checkout_are_removed_by_their_label(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with nats_engine(choice="container"):
        assert len(remove_containers(tmp_path)) == 1
        assert remove_containers(tmp_path) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root drops to another user")
def test_root_runs_postgres_from_a_wheel_that_the_unprivileged_user_cannot_reach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from platform_lib.engines import _postgres  # noqa: PLC0415  # the seam is inside

    wheel = _postgres.postgres_wheel()
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    for source in (wheel.programs, wheel.libraries):
        target = closed / source.relative_to(wheel.libraries.parent)
        target.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cp", "-al", source, target], check=True)
    moved = _postgres.PostgresWheel(
        closed / wheel.programs.relative_to(wheel.libraries.parent),
        closed / wheel.libraries.name,
        wheel.version,
    )
    monkeypatch.setattr(_postgres, "postgres_wheel", lambda: moved)

    with postgres_engine(choice="embedded") as engine:
        assert _answers(urlsplit(engine.url).port)


# The choice.


def test_without_a_container_engine_auto_runs_embedded_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
    said: list[str] = []

    with nats_engine(prefer="container", announce=said.append) as engine:
        assert engine.name == "embedded"

    why = "no container engine at unix:///nonexistent/docker.sock: no such socket"
    assert engine.reason == f"container is not available: {why}"
    assert said == [f"nats: not container but embedded: {why}"]


def test_a_container_that_was_asked_for_is_not_exchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")

    assert isinstance(container_engine(), NoContainerEngine)
    with (
        pytest.raises(EngineUnavailable, match=r"^nats: no container engine at "),
        nats_engine(choice="container"),
    ):
        pass


def test_a_configured_url_wins_and_nothing_is_started() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"nats://127.0.0.1:{server.getsockname()[1]}"

        with nats_engine(url=url) as engine:
            assert (engine.name, engine.url) == ("external", url)


def test_a_configured_url_where_nothing_answers_is_refused_without_its_password() -> None:
    port = free_port()

    with (
        pytest.raises(EngineUnavailable, match=rf"nothing answers at 127\.0\.0\.1:{port},") as caught,
        postgres_engine(url=f"postgresql://payments:hush@127.0.0.1:{port}/payments"),
    ):
        pass

    assert "hush" not in str(caught.value)


@pytest.mark.container
def test_a_container_that_does_not_start_is_reported_with_its_log_and_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("platform_lib.engines._containers.initdb_options", ("--no-such-option",))

    with (
        pytest.raises(EngineUnavailable, match="did not start") as caught,
        postgres_engine(choice="container"),
    ):
        pass

    assert "no-such-option" in str(caught.value)
    assert remove_containers(tmp_path) == []


def _answers(port: int | None) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port or 0), timeout=1).close()
    except OSError:
        return False
    return True


def _runs(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE  # which is for init to collect
    except psutil.NoSuchProcess:
        return False


def _containers_of(pid: int) -> list[str]:
    if isinstance(container_engine(), NoContainerEngine):
        return []
    found = subprocess.run(
        ["docker", "ps", "-a", "--format", '{{.Label "paypath.owner"}}'],
        capture_output=True,
        text=True,
        check=True,
    )
    return [owner for owner in found.stdout.split() if f"/{pid}/" in owner]


def _eventually(condition: Callable[[], bool], seconds: float = 20) -> None:
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up, textwrap.shorten(str(condition), 100)
        time.sleep(0.02)
