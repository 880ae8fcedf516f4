"""Compare FastAPI without telemetry, with its own, with contrib's, and with platform_lib's.

Every server is one process on one core; the load generator and an OTLP sink share the other. All servers are
up at once and are measured in turn, so that a machine that drifts drifts for all: those that are compared
closely one right after the other, and in several processes, which a round adds up. Every request is traced
and exported, with metrics and an access log line; `ours_sampled` keeps a tenth. The figures are medians of
the ratios of each round; the last line is one JSON object.
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
# Longer than each holds spans back: what is buffered is its own work and must not be the next one's.
pauses = dict.fromkeys(close, 1.2) | dict.fromkeys(far, 5.5)


class Load(asyncio.Protocol):
    """One kept connection that sends the next request when the answer is there."""

    def __init__(self, times: list[float], until: float, done: asyncio.Future[None]) -> None:
        self.times, self.until, self.done = times, until, done
        self.buffer = b""
        self.number = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self.transport = transport
        self.send()

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
            self.transport.close()
            if not self.done.done():
                self.done.set_result(None)
        else:
            self.send()

    def connection_lost(self, error: Exception | None) -> None:
        """End; early is a failure."""
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("the server closed the connection"))


async def load(port: int, seconds: float, connections: int) -> tuple[float, float, int]:
    """Return requests a second, the 99th percentile in seconds, and how many requests were answered."""
    loop = asyncio.get_running_loop()
    times: list[float] = []
    began = time.perf_counter()
    ends: list[asyncio.Future[None]] = [loop.create_future() for _ in range(connections)]
    for done in ends:
        await loop.create_connection(lambda done=done: Load(times, began + seconds, done), "127.0.0.1", port)
    await asyncio.gather(*ends)
    elapsed = time.perf_counter() - began
    return len(times) / elapsed, statistics.quantiles(times, n=100)[98], len(times)


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


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
        servers: list[tuple[str, int, int]] = []  # kind, port, process id
        for number in range(options.instances):
            for kind in kinds if number == 0 else close:
                arguments = (kind, str(server_core), str(sink_port))
                log = temporary / f"{kind}-{number}.log"
                server, port = start("telemetry_server.py", *arguments, log=log)
                processes.append(server)
                servers.append((kind, port, server.pid))
        answered = dict.fromkeys(kinds, 0)
        rounds: list[dict[str, tuple[float, float, float]]] = []
        for number in range(options.rounds + 1):
            measured: dict[str, list[tuple[float, float, float]]] = {kind: [] for kind in kinds}
            for kind, port, pid in servers if number % 2 else servers[::-1]:
                before = cpu_seconds(pid)
                seconds = options.seconds if number else 1.0
                rate, p99, count = asyncio.run(load(port, seconds, options.connections))
                time.sleep(pauses[kind])
                answered[kind] += count
                measured[kind].append((rate, p99, (cpu_seconds(pid) - before) / count))
            if number:  # the first round warms up
                rounds.append({kind: averages(of_kind) for kind, of_kind in measured.items()})
                print(
                    "   ".join(
                        f"{kind} {rate:.0f}/s p99 {p99 * 1000:.2f} ms cpu {cpu * 1e6:.0f} us"
                        for kind, (rate, p99, cpu) in rounds[-1].items()
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


def averages(measured: list[tuple[float, float, float]]) -> tuple[float, float, float]:
    """Return the means of rate, 99th percentile and processor time over the processes of a kind."""
    rates, p99s, cpus = zip(*measured, strict=True)
    return statistics.fmean(rates), statistics.fmean(p99s), statistics.fmean(cpus)


def summary(
    rounds: list[dict[str, tuple[float, float, float]]], expected: int, exported: int
) -> dict[str, object]:
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
    parser.add_argument("--seconds", type=float, default=2.0, help="load on each server in a round (2)")
    parser.add_argument("--instances", type=int, default=5, help="processes of bare and ours, each (5)")
    parser.add_argument("--connections", type=int, default=16, help="connections at once (16)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        result = measure(options, Path(temporary))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
