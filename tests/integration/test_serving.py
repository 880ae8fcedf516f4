"""Serving as a real process: the drain, the stop, and every way a start can fail."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

program = Path(__file__).with_name("serving_app.py")
patience_seconds = 20.0


class Process:
    """The service as a process; its output is read line by line as it comes."""

    def __init__(self, **environment: str) -> None:
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "SHOP_"))
        }
        self._process = subprocess.Popen(
            [sys.executable, str(program)],
            env=inherited | {"SHOP_HTTP_PORT": "0", "SHOP_LIFECYCLE_DRAIN": "30", **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.pid = self._process.pid
        self.lines: list[str] = []
        self._queue: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._queue.put(line.rstrip())
        self._queue.put(None)

    def wait_for(self, text: str) -> str:
        """Return the next line of output that holds *text*."""
        deadline = time.monotonic() + patience_seconds
        while (line := self._queue.get(timeout=max(deadline - time.monotonic(), 0.01))) is not None:
            self.lines.append(line)
            if text in line:
                return line
        pytest.fail(f"the process ended without a line that holds {text!r}: {self.lines}")

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def ended(self) -> tuple[int, str]:
        """Wait for the end; give the exit code and what was said on standard error."""
        assert self._process.stderr is not None
        code = self._process.wait(patience_seconds)
        error = self._process.stderr.read()
        self._reader.join(patience_seconds)
        while (line := self._queue.get_nowait()) is not None:
            self.lines.append(line)
        return code, error

    def story(self) -> list[str]:
        """Return what the parts of the service printed; log lines are JSON."""
        return [line for line in self.lines if not line.startswith("{")]

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait()
        self._reader.join()
        for stream in (self._process.stdout, self._process.stderr):
            assert stream is not None
            stream.close()


Start = Callable[..., Process]


@pytest.fixture
def start() -> Iterator[Start]:
    with contextlib.ExitStack() as stack:

        def start_one(**environment: str) -> Process:
            process = Process(**environment)
            stack.callback(process.close)
            return process

        yield start_one


def url_of(process: Process) -> str:
    line = process.wait_for("listening on ")
    return "http://" + line.partition("listening on http://")[2].partition('"')[0]


def request_slowly(url: str) -> tuple[threading.Thread, list[httpx2.Response]]:
    answers: list[httpx2.Response] = []

    def ask() -> None:
        answers.append(httpx2.get(f"{url}/slow", timeout=patience_seconds))

    thread = threading.Thread(target=ask)
    thread.start()
    return thread, answers


def wait_until_refused(url: str) -> None:
    host, _, port = url.removeprefix("http://").partition(":")
    deadline = time.monotonic() + patience_seconds
    while time.monotonic() < deadline:
        with socket.socket() as client:
            if client.connect_ex((host, int(port))) != 0:
                return
        time.sleep(0.01)
    pytest.fail(f"{url} is still listened on")


def test_sigterm_drains_while_work_is_still_done_and_a_second_one_skips_the_rest(start: Start) -> None:
    process = start()
    url = url_of(process)
    assert httpx2.get(f"{url}/readyz").status_code == 200
    assert "connection" not in httpx2.get(f"{url}/work").headers

    process.signal(signal.SIGTERM)
    process.wait_for("not ready any more, still serving for 30 s (0 requests in flight)")

    assert httpx2.get(f"{url}/readyz").status_code == 503
    assert httpx2.get(f"{url}/livez").status_code == 200
    work = httpx2.get(f"{url}/work")
    assert (work.status_code, work.text, work.headers["connection"]) == (200, "done", "close")

    process.signal(signal.SIGTERM)
    code, error = process.ended()
    assert (code, error) == (0, "")
    assert process.story() == [
        *("open database", "open broker", "run relay"),
        *("end relay", "close broker", "close database"),
    ]


def test_a_request_in_flight_ends_well_after_the_listener_has_closed(start: Start) -> None:
    process = start(SHOP_LIFECYCLE_DRAIN="0")
    url = url_of(process)
    slow, answers = request_slowly(url)
    process.wait_for("slow begins")

    process.signal(signal.SIGTERM)
    wait_until_refused(url)
    assert slow.is_alive()
    process.signal(signal.SIGUSR1)
    slow.join(patience_seconds)

    assert [(answer.status_code, answer.text) for answer in answers] == [(200, "done")]
    assert process.ended() == (0, "")
    assert process.story()[-3:] == ["end relay", "close broker", "close database"]


def test_a_request_that_does_not_end_in_time_is_told_to_come_again(start: Start) -> None:
    process = start(SHOP_LIFECYCLE_DRAIN="0", SHOP_LIFECYCLE_IN_FLIGHT="200ms")
    slow, answers = request_slowly(url_of(process))
    process.wait_for("slow begins")

    process.signal(signal.SIGTERM)
    slow.join(patience_seconds)

    assert [(answer.status_code, answer.headers["retry-after"]) for answer in answers] == [(503, "1")]
    assert process.ended()[0] == 0
    assert process.story()[-2:] == ["close broker", "close database"]


def test_a_third_signal_cuts_off_the_requests_in_flight(start: Start) -> None:
    process = start(SHOP_LIFECYCLE_IN_FLIGHT="60s")
    url = url_of(process)
    slow, answers = request_slowly(url)
    process.wait_for("slow begins")

    process.signal(signal.SIGTERM)
    process.wait_for("(1 requests in flight)")
    process.signal(signal.SIGTERM)
    wait_until_refused(url)
    process.signal(signal.SIGTERM)
    slow.join(patience_seconds)

    assert [answer.status_code for answer in answers] == [503]
    assert process.ended()[0] == 0
    assert process.story()[-2:] == ["close broker", "close database"]


def test_ctrl_c_stops_without_a_drain(start: Start) -> None:
    process = start()
    url_of(process)

    process.signal(signal.SIGINT)

    assert process.ended() == (0, "")
    assert any("still serving for 0 s" in line for line in process.lines)
    assert process.story()[-2:] == ["close broker", "close database"]


def test_a_taken_port_is_one_message_that_names_the_holder_and_nothing_is_opened(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        process = start(SHOP_HTTP_PORT=str(port))
        code, error = process.ended()

    assert code == 1
    assert error.startswith(f"shop: cannot start: SHOP_HTTP_PORT: port {port} on 127.0.0.1 is taken by ")
    assert f"(pid {os.getpid()}: " in error
    assert error.endswith("; stop it, or set SHOP_HTTP_PORT to a free port\n")
    assert error.count("\n") == 1
    assert process.story() == []


def test_of_two_processes_that_start_on_one_port_the_slower_gives_up_and_closes(start: Start) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = str(unused.getsockname()[1])
    slower = start(SHOP_HTTP_PORT=port, TEST_BROKER="slow")
    slower.wait_for("open broker")
    faster = start(SHOP_HTTP_PORT=port)
    url_of(faster)

    slower.signal(signal.SIGUSR1)

    code, error = slower.ended()
    assert code == 1
    assert f"port {port} on 127.0.0.1 is taken by " in error
    assert f"(pid {faster.pid}: " in error
    assert slower.story()[-2:] == ["close broker", "close database"]


def test_a_failed_start_is_one_message_and_closes_what_was_opened(start: Start) -> None:
    process = start(TEST_BROKER="refuses")

    code, error = process.ended()

    assert code == 1
    assert error.startswith(
        "shop: cannot start: broker: could not be opened: ConnectionRefusedError: no one at "
    )
    assert error.count("\n") == 1
    assert "hunter2" not in error + "".join(process.lines)
    assert process.story() == ["open database", "open broker", "close database"]


def test_a_signal_during_the_start_closes_what_was_opened(start: Start) -> None:
    process = start(TEST_BROKER="slow")
    process.wait_for("open broker")

    process.signal(signal.SIGTERM)

    assert process.ended() == (0, "")
    assert process.story() == ["open database", "open broker", "close database"]


def test_variables_of_opentelemetry_that_cannot_be_obeyed_end_the_start_with_one_message(
    start: Start,
) -> None:
    process = start(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:4317", OTEL_EXPORTER_OTLP_PROTOCOL="grpc")

    code, error = process.ended()

    assert code == 78
    assert error == (
        "shop: cannot start: telemetry: the configuration cannot be used, 1 mistake:\n"
        "  OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' is not spoken here\n"
        "    set http/protobuf and the collector's port for it, mostly 4318\n"
    )
    assert process.story() == []


def test_a_collector_that_never_answers_delays_the_end_by_no_more_than_the_time_to_flush(
    start: Start,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as collector:
        endpoint = f"http://127.0.0.1:{collector.getsockname()[1]}"
        process = start(
            SHOP_LIFECYCLE_DRAIN="0", SHOP_LIFECYCLE_FLUSH="300ms", SHOP_TELEMETRY_ENDPOINT=endpoint
        )
        url = url_of(process)
        for _ in range(20):
            httpx2.get(f"{url}/work")

        process.signal(signal.SIGTERM)
        process.wait_for("shop: stopped")
        stopped = time.monotonic()
        code, _ = process.ended()

    assert code == 0
    assert time.monotonic() - stopped < 2


def test_a_signal_while_telemetry_is_flushed_changes_nothing(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as collector:
        endpoint = f"http://127.0.0.1:{collector.getsockname()[1]}"
        process = start(SHOP_LIFECYCLE_DRAIN="0", SHOP_LIFECYCLE_FLUSH="2s", SHOP_TELEMETRY_ENDPOINT=endpoint)
        httpx2.get(f"{url_of(process)}/work")
        process.signal(signal.SIGTERM)
        process.wait_for("shop: stopped")
        while not ignores(process.pid, signal.SIGTERM):
            pass

        process.signal(signal.SIGTERM)
        code, _ = process.ended()

    assert code == 0


def ignores(pid: int, number: signal.Signals) -> bool:
    """Read from /proc whether a process ignores a signal (proc(5), SigIgn)."""
    status = Path(f"/proc/{pid}/status").read_text()
    [mask] = [line.split()[1] for line in status.splitlines() if line.startswith("SigIgn")]
    return bool(int(mask, 16) >> (number - 1) & 1)


def test_a_loop_that_was_blocked_fails_liveness_until_it_turns_freely_again(start: Start) -> None:
    process = start(SHOP_HEALTH_LOOP_STALL="1500ms")
    url = url_of(process)
    assert httpx2.get(f"{url}/livez").status_code == 200

    assert httpx2.get(f"{url}/block?0.5", timeout=patience_seconds).status_code == 200
    assert httpx2.get(f"{url}/livez").status_code == 200, "half a second is no stall"

    assert httpx2.get(f"{url}/block?2.5", timeout=patience_seconds).status_code == 200
    probe = httpx2.get(f"{url}/livez?verbose", headers={"connection": "close"})
    assert (probe.status_code, probe.json()["status"]) == (503, "fail")
    assert probe.json()["reason"] == "event_loop_blocked"

    deadline = time.monotonic() + patience_seconds
    while httpx2.get(f"{url}/livez").status_code != 200:
        assert time.monotonic() < deadline


def test_a_request_for_another_protocol_is_answered_in_http_and_fills_no_log(start: Start) -> None:
    process = start()
    url = url_of(process)
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }

    assert httpx2.get(url, headers=upgrade).text == "done"

    process.signal(signal.SIGINT)
    code, error = process.ended()
    assert (code, error) == (0, "")
    assert not [line for line in process.lines if "upgrade" in line.lower() or "websocket" in line.lower()]


def admin_url_of(process: Process) -> str:
    line = process.wait_for("admin port at ")
    return "http://" + line.partition("admin port at http://")[2].partition('"')[0]


def test_the_admin_port_tells_of_a_start_that_takes_long_and_of_the_drain(start: Start) -> None:
    process = start(SHOP_ADMIN_PORT="0", TEST_BROKER="slow")
    admin = admin_url_of(process)
    process.wait_for("open broker")

    starting = httpx2.get(f"{admin}/startupz")
    assert (starting.status_code, starting.json()["reason"]) == (503, "starting")
    assert httpx2.get(f"{admin}/process").json()["phase"] == "starting"

    process.signal(signal.SIGUSR1)
    url = url_of(process)
    assert httpx2.get(f"{admin}/startupz").json()["checks"]["worker:relay"]["status"] == "pass"
    assert httpx2.get(f"{url}/process").text == "done"  # the application's own path, not the admin's

    process.signal(signal.SIGTERM)
    process.wait_for("not ready any more, still serving for 30 s (0 requests in flight)")
    draining = httpx2.get(f"{admin}/readyz")
    assert (draining.status_code, draining.json()["reason"]) == (503, "draining")

    process.signal(signal.SIGTERM)
    assert process.ended() == (0, "")
    assert process.story()[-3:] == ["end relay", "close broker", "close database"]


def test_the_admin_port_answers_while_the_last_resource_closes(start: Start) -> None:
    process = start(SHOP_ADMIN_PORT="0", SHOP_LIFECYCLE_DRAIN="0", TEST_DATABASE="lingers")
    admin = admin_url_of(process)
    url_of(process)

    process.signal(signal.SIGTERM)
    process.wait_for("close database")

    assert httpx2.get(f"{admin}/process").json()["phase"] == "draining"
    process.signal(signal.SIGUSR1)
    assert process.ended() == (0, "")
    wait_until_refused(admin)


def test_a_log_level_is_changed_in_the_running_process(start: Start) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = start(SHOP_ADMIN_PORT=str(port), SHOP_TELEMETRY_LOG_LEVEL="WARNING", SHOP_LIFECYCLE_DRAIN="0")
    process.wait_for("run relay")

    answer = httpx2.put(f"http://127.0.0.1:{port}/log-levels", json={"level": "INFO"})
    assert answer.json()["root"] == "INFO"
    process.signal(signal.SIGTERM)
    process.wait_for("shop: stopped")


def test_an_admin_port_that_is_taken_is_one_message_that_names_the_setting(start: Start) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = start(SHOP_ADMIN_PORT=str(port))

        code, error = process.ended()

    assert code == 1
    assert f"shop: cannot start: SHOP_ADMIN_PORT: port {port} on 127.0.0.1 is taken by " in error
    assert error.count("\n") == 1
    assert process.story() == []


def test_a_thread_that_is_blocked_keeps_no_process_from_ending(start: Start) -> None:
    process = start(SHOP_LIFECYCLE_DRAIN="0", SHOP_LIFECYCLE_IN_FLIGHT="100ms", SHOP_LIFECYCLE_STOP="200ms")
    url = url_of(process)
    with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) as client:
        client.sendall(b"GET /thread HTTP/1.1\r\nHost: shop\r\n\r\n")
        process.wait_for("thread begins")

        process.signal(signal.SIGTERM)
        code, _ = process.ended()

    assert code == os.EX_SOFTWARE
    assert any(
        "not ended 1.4 s after the signal, ended now; threads left: " in line for line in process.lines
    )
    assert process.story()[-2:] == ["close broker", "close database"]
