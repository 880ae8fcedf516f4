"""Compare FastAPI without telemetry, with its own, with contrib's, and with platform_lib's.

Every server is one process on one core; the load generator and an OTLP sink share the other. All servers are
up at once and are measured in turn. The machine's speed drifts by a tenth within a second, so those that are
compared closely take turns of 100 ms, the order reversed each time. What one of them does while another is
measured, such as sending what it buffered, counts as its own time, by the scheduler's account. Every request
is traced and exported, with metrics and an access log line; `ours_sampled` keeps a tenth. The figures are
medians of the ratios of each round; the last line is one JSON object.
"""

import argparse
import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

folder = Path(__file__).parent
request = (
    b"GET /v1/payments/pay_%06d HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bench/1\r\nAccept: */*\r\n"
    b"Accept-Encoding: gzip\r\nX-Request-Id: 5f0c\r\n\r\n"
)
close, far = ("bare", "ours", "ours_sampled"), ("native", "contrib")
kinds = (*close, *far)
# A turn is as long as ours holds requests back, which it tells in batches then as under steady load.
TURN, FAR_SECONDS = 0.1, 2.0
# Longer than each holds spans back: what is buffered is its own work and must not be the next one's.
CLOSE_PAUSE, FAR_PAUSE = 1.2, 5.5


class Client(asyncio.Protocol):
    """One kept connection that sends the next request when the answer is there, while its turn lasts."""

    def __init__(self, times: list[float]) -> None:
        self.times = times
        self.buffer = b""
        self.number = 0
        self.until = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for a turn."""
        self.transport = transport
        self.idle: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def begin(self, until: float) -> asyncio.Future[None]:
        """Send requests until then; gives what is done when the last one is answered."""
        self.until = until
        self.idle = asyncio.get_running_loop().create_future()
        self.send()
        return self.idle

    def send(self) -> None:
        """Send one request."""
        self.number += 1
        self.began = time.perf_counter()
        self.transport.write(request % self.number)

    def data_received(self, data: bytes) -> None:
        """Take a piece of an answer; the answer is whole when its body is as long as it says."""
        self.buffer += data
        head = self.buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        at = self.buffer.find(b"content-length: ") + 16
        if len(self.buffer) - head - 4 < int(self.buffer[at : self.buffer.find(b"\r\n", at)]):
            return
        if not self.buffer.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(self.buffer[:80])
        self.buffer = b""
        now = time.perf_counter()
        self.times.append(now - self.began)
        if now >= self.until:
            self.idle.set_result(None)
        else:
            self.send()

    def connection_lost(self, error: Exception | None) -> None:
        """End; in the middle of a turn is a failure."""
        if not self.idle.done():
            self.idle.set_exception(error or ConnectionError("the server closed the connection"))


class Server:
    """One server and what was measured of it in a round.

    Attributes:
        times: seconds that each request took.
        seconds: the time that those requests took together, what it did outside of its turns included.
    """

    def __init__(self, kind: str, process: int, port: int) -> None:
        self.kind = kind
        self.process = process
        self.port = port
        self.times: list[float] = []
        self.seconds = 0.0
        self.clients: list[Client] = []

    async def connect(self, connections: int) -> None:
        """Begin a round."""
        self.times, self.seconds, self.clients = [], 0.0, []
        loop = asyncio.get_running_loop()
        for _ in range(connections):
            _, client = await loop.create_connection(lambda: Client(self.times), "127.0.0.1", self.port)
            self.clients.append(client)

    async def turn(self, seconds: float) -> None:
        """Serve for so long."""
        began = time.perf_counter()
        await asyncio.gather(*[client.begin(began + seconds) for client in self.clients])
        self.seconds += time.perf_counter() - began

    def close(self) -> None:
        """End a round."""
        for client in self.clients:
            client.idle.cancel()
            client.transport.close()

    def busy(self) -> float:
        """Return the processor time that its threads have taken, in seconds."""
        tasks = Path(f"/proc/{self.process}/task").iterdir()
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9

    def measured(self) -> tuple[float, float]:
        """Return requests a second and the 99th percentile in seconds."""
        return len(self.times) / self.seconds, statistics.quantiles(self.times, n=100)[98]


async def take_turns(servers: list[Server], seconds: float, turn: float, connections: int) -> None:
    """Measure *servers* side by side for so many seconds each."""
    for server in servers:
        await server.connect(connections)
    for number in range(round(seconds / turn)):
        for server in servers if number % 2 else servers[::-1]:
            others = {other: other.busy() for other in servers if other is not server}
            await server.turn(turn)
            for other, before in others.items():
                taken = other.busy() - before
                server.seconds -= taken
                other.seconds += taken
    for server in servers:
        server.close()


def ask(port: int, path: str) -> str:
    """Return the body of one answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    return answer.partition(b"\r\n\r\n")[2].decode()


def start(name: str, *arguments: str, log: Path) -> tuple[subprocess.Popen[str], int]:
    """Start a program of this folder; return it and the port that it printed."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("OTEL_")}
    process = subprocess.Popen(
        [sys.executable, str(folder / name), *arguments, str(log)],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    if process.stdout is None:
        raise RuntimeError("no output")
    line = process.stdout.readline()
    if not line.strip().isdigit():
        raise RuntimeError(f"{name} {arguments}: did not start")
    return process, int(line)


def measure(options: argparse.Namespace, temporary: Path) -> dict[str, object]:
    """Run everything; return the result."""
    cores = sorted(os.sched_getaffinity(0))
    server_core, load_core = cores[0], cores[-1]
    os.sched_setaffinity(0, {load_core})
    processes: list[subprocess.Popen[str]] = []
    try:
        sink, sink_port = start("telemetry_sink.py", str(load_core), log=temporary / "sink")
        processes.append(sink)
        servers: list[Server] = []
        for kind in kinds:
            arguments = (kind, str(server_core), str(sink_port))
            process, port = start("telemetry_server.py", *arguments, log=temporary / f"{kind}.log")
            processes.append(process)
            servers.append(Server(kind, process.pid, port))
        answered = dict.fromkeys(kinds, 0)
        rounds: list[dict[str, tuple[float, float]]] = []
        for number in range(options.rounds + 1):
            seconds = options.seconds if number else 1.0
            asyncio.run(take_turns(servers[: len(close)], seconds, TURN, options.connections))
            time.sleep(CLOSE_PAUSE)
            for server in servers[len(close) :]:
                asyncio.run(take_turns([server], FAR_SECONDS, FAR_SECONDS, options.connections))
                time.sleep(FAR_PAUSE)
            for server in servers:
                answered[server.kind] += len(server.times)
            if number:  # the first round warms up
                rounds.append({server.kind: server.measured() for server in servers})
                print(
                    "   ".join(
                        f"{kind} {rate:.0f}/s p99 {p99 * 1000:.2f} ms"
                        for kind, (rate, p99) in rounds[-1].items()
                    )
                )
        for process in processes[1:]:
            process.terminate()
        for process in processes[1:]:
            process.wait(20)
        counted = json.loads(ask(sink_port, "/counts"))
    finally:
        for process in processes:
            process.kill()
            process.wait()
    print(f"spans by service: {counted}; answered: {answered}")
    return summary(rounds, answered["ours"], counted.get("ours", 0))


def summary(rounds: list[dict[str, tuple[float, float]]], expected: int, exported: int) -> dict[str, object]:
    """Return the medians, of ratios where there is one."""

    def rate(kind: str) -> int:
        return round(statistics.median(each[kind][0] for each in rounds))

    def ratio(kind: str, other: str, field: int = 0) -> float:
        return round(statistics.median(each[kind][field] / each[other][field] for each in rounds), 3)

    return {
        "bare_rps": rate("bare"),
        "native_rps": rate("native"),
        "contrib_rps": rate("contrib"),
        "ours_rps": rate("ours"),
        "ours_sampled_rps": rate("ours_sampled"),
        "ratio_to_bare": ratio("ours", "bare"),
        "ratio_to_native": ratio("ours", "native"),
        "sampled_ratio_to_bare": ratio("ours_sampled", "bare"),
        "p99_ratio_to_bare": ratio("ours", "bare", 1),
        "spans_exported": exported,
        "spans_expected": expected,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5, help="rounds after one that warms up (5)")
    parser.add_argument("--seconds", type=float, default=24.0, help="load on bare and ours in a round (24)")
    parser.add_argument("--connections", type=int, default=16, help="connections at once (16)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        result = measure(options, Path(temporary))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
