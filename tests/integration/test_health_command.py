"""`python -m platform_lib health`, as a container's health check runs it, against real sockets."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar, cast

import pytest

token = "a-token-that-nobody-guesses"


class Peer(BaseHTTPRequestHandler):
    answers: ClassVar[dict[str, tuple[int, bytes]]]
    seen: ClassVar[list[tuple[str, str | None]]]

    def do_GET(self) -> None:
        self.seen.append((self.path, self.headers.get("Authorization")))
        status, body = self.answers.get(self.path.partition("?")[0], (404, b"nothing here"))
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def peer() -> Iterator[tuple[str, type[Peer]]]:
    own = cast("type[Peer]", type("OwnPeer", (Peer,), {"answers": {}, "seen": []}))
    with ThreadingHTTPServer(("127.0.0.1", 0), own) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", own
        server.shutdown()
        thread.join()


def health(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "platform_lib", "health", *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize(
    ("status", "verdict", "code"), [(200, "pass", 0), (200, "warn", 0), (503, "fail", 1)]
)
def test_the_verdict_of_the_probe_is_the_exit_code(
    peer: tuple[str, type[Peer]], status: int, verdict: str, code: int
) -> None:
    url, handler = peer
    handler.answers["/readyz"] = (status, json.dumps({"status": verdict}).encode())

    done = health("readyz", "--url", url)

    assert (done.returncode, done.stdout, done.stderr) == (code, f"readyz: {verdict}\n", "")
    assert handler.seen == [("/readyz?verbose", None)]


def test_details_are_shown_where_they_are_given(peer: tuple[str, type[Peer]], tmp_path: Path) -> None:
    url, handler = peer
    document = {
        "status": "fail",
        "reason": "draining",
        "checks": {"database": {"status": "fail", "criticality": "critical", "reason": "timeout"}},
    }
    handler.answers["/readyz"] = (503, json.dumps(document).encode())
    file = tmp_path / "token"
    file.write_text(f"{token}\nthe one before\n")

    plain = health("readyz", "--url", url, "--token-file", str(file))
    as_json = health("readyz", "--url", f"{url}/", "--json")

    assert plain.stdout == "readyz: fail (draining)\n  database: fail (timeout), critical\n"
    assert (json.loads(as_json.stdout), as_json.returncode) == (document, 1)
    assert handler.seen == [("/readyz?verbose", f"Bearer {token}"), ("/readyz?verbose", None)]


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"status": "up"}'])
def test_what_no_probe_says_is_a_failure_and_not_repeated(peer: tuple[str, type[Peer]], body: bytes) -> None:
    url, handler = peer
    handler.answers["/livez"] = (200, body)

    done = health("livez", "--url", url)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"health livez: {url}: 200 is no answer of a probe; "
        "is it the service's address, and the right token?\n"
    )


def test_a_service_that_does_not_answer_has_failed() -> None:
    done = health("startupz", "--url", "http://127.0.0.1:1", "--json")

    assert done.returncode == 1
    assert json.loads(done.stdout)["reason"] == "no_answer"
    assert "no answer (ConnectionRefusedError)" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("readyz", "--url", "ftp://127.0.0.1"),
        ("readyz", "--url", "http://user:password@127.0.0.1"),
        ("readyz", "--url", "http://127.0.0.1:99999"),
        ("readyz", "--timeout", "0"),
        ("readyz", "--token-file", "/nowhere/at/all"),
        ("healthz",),
    ],
)
def test_bad_input_is_told_apart_from_bad_health(arguments: tuple[str, ...]) -> None:
    done = health(*arguments)

    assert (done.returncode, done.stdout) == (2, "")
    assert "password" not in done.stderr


def test_it_loads_neither_pydantic_nor_opentelemetry() -> None:
    program = (
        "import sys\n"
        "from platform_lib.__main__ import main\n"
        "main(['health', 'livez', '--url', 'http://127.0.0.1:1'])\n"
        "print(sorted(name for name in ('pydantic', 'opentelemetry', 'uvicorn') if name in sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
