"""How long the generated service takes to be ready, and what it holds when it rests, beside peers.

Each round starts every server once, one after the other, so that a machine that drifts drifts for all: bare
FastAPI on uvicorn, FastAPI with OpenTelemetry's contrib, the same with a pool, a broker and a client by hand,
and `examples/payments` on a real database and broker. Bytecode is compiled beforehand, as an image has it.

`ready_ms` is from the start of the process to the first 200 of /readyz; `cpu_ms` what it computed until then,
which other work on the machine disturbs less; memory is read a moment later. Medians of all rounds; the last
line is one JSON object.
"""

import argparse
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from platform_lib.engines import Child, free_port, nats_engine, postgres_engine

repository = Path(__file__).parents[1]
service_source = repository / "examples" / "payments" / "src"
kinds = ("bare", "contrib", "by_hand", "service")
imports = {
    "core": "platform_lib.config, platform_lib.health, platform_lib.service",
    "service": "payments.__main__",
}
rest_seconds = 0.5
patience_seconds = 60
ticks = os.sysconf("SC_CLK_TCK")


def environment(bytecode: str, **variables: str) -> dict[str, str]:
    """Return the variables of a measured process, of which none configures a service but *variables*."""
    foreign = ("PYTHON", "OTEL_", "PAYMENTS_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return {**kept, "PYTHONPATH": str(service_source), "PYTHONPYCACHEPREFIX": bytecode, **variables}


def import_ms(modules: str, variables: dict[str, str]) -> float:
    """Return how long one `import` takes in a fresh interpreter."""
    program = f"import time; b = time.perf_counter(); import {modules}; print(time.perf_counter() - b)"
    output = subprocess.run(
        [sys.executable, "-c", program], env=variables, check=True, capture_output=True, text=True
    )
    return float(output.stdout) * 1000


def until_ready(port: int, child: Child) -> None:
    """Return when /readyz answers 200."""
    give_up = time.perf_counter() + patience_seconds
    while child.poll() is None and time.perf_counter() < give_up:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            if connection.getresponse().status == http.client.OK:
                return
        except OSError:
            pass  # not listening yet
        finally:
            connection.close()
        time.sleep(0.005)
    sys.exit(f"not ready:\n{child.output(last_lines=20)}")


def started(command: list[str], port: int, variables: dict[str, str], log: Path) -> dict[str, float]:
    """Start one server and stop it; return its figures."""
    began = time.perf_counter()
    child = Child([sys.executable, *command], log=log, environment=variables)
    try:
        until_ready(port, child)
        ready = time.perf_counter() - began
        # After the name in brackets; fields 14 and 15 of proc(5), stat, are user and system time.
        fields = Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()
        cpu = (int(fields[11]) + int(fields[12])) / ticks
        time.sleep(rest_seconds)
        rollup = Path(f"/proc/{child.pid}/smaps_rollup").read_text().splitlines()
        sizes = {line.split(":")[0]: int(line.split()[1]) / 1024 for line in rollup if line.endswith("kB")}
    finally:
        child.stop()
    return {"ready_ms": ready * 1000, "cpu_ms": cpu * 1000, "rss_mib": sizes["Rss"], "pss_mib": sizes["Pss"]}


def measure(folder: Path, rounds: int, database: str, broker: str) -> dict[str, float]:
    """Return the medians, and ratios to the peers as medians of each round's."""
    settings = {
        "PAYMENTS_DATABASE_URL": database,
        "PAYMENTS_EVENTS_URL": broker,
        "PAYMENTS_PROVIDER_URL": "http://127.0.0.1:9",
        "PAYMENTS_PROVIDER_API_KEY": "none",
        "PAYMENTS_PROVIDER_WEBHOOK_SECRET": "whsec_" + "A" * 32,
    }
    variables = environment(str(folder / "bytecode"), **settings)
    subprocess.run(
        [sys.executable, "-m", "payments", "migrate"], env=variables, check=True, capture_output=True
    )

    def round_of() -> dict[str, dict[str, float]]:
        figures = {}
        for kind in kinds:
            port = free_port()
            peer = [str(repository / "bench" / "startup_peer.py"), kind, str(port), database, broker]
            command = ["-m", "payments", "serve"] if kind == "service" else peer
            given = {**variables, "PAYMENTS_HTTP_PORT": str(port)}
            figures[kind] = started(command, port, given, folder / f"{kind}.log")
        for name, modules in imports.items():
            figures[name] = figures.get(name, {}) | {"import_ms": import_ms(modules, variables)}
        return figures

    round_of()  # compiles the bytecode
    found = []
    for number in range(rounds):
        found.append(round_of())
        print(
            f"round {number + 1}: "
            + ", ".join(f"{kind} {found[-1][kind]['ready_ms']:.0f} ms" for kind in kinds)
        )

    def median(kind: str, name: str) -> float:
        return statistics.median(one[kind][name] for one in found)

    def ratio(name: str, to: str) -> float:
        return round(statistics.median(one["service"][name] / one[to][name] for one in found), 2)

    print(f"\n{'':10}{'ready ms':>10}{'cpu ms':>10}{'rss MiB':>10}{'pss MiB':>10}")
    for kind in kinds:
        row = [median(kind, name) for name in ("ready_ms", "cpu_ms", "rss_mib", "pss_mib")]
        print(f"{kind:10}" + "".join(f"{value:10.0f}" for value in row))
    print()
    return {
        "core_import_ms": round(median("core", "import_ms")),
        "import_ms": round(median("service", "import_ms")),
        **{name: round(median("service", name)) for name in ("ready_ms", "cpu_ms", "rss_mib", "pss_mib")},
        **{f"{kind}_ready_ms": round(median(kind, "ready_ms")) for kind in kinds[:-1]},
        **{f"{kind}_rss_mib": round(median(kind, "rss_mib")) for kind in kinds[:-1]},
        **{f"ready_ratio_to_{kind}": ratio("ready_ms", kind) for kind in kinds[:-1]},
        **{f"cpu_ratio_to_{kind}": ratio("cpu_ms", kind) for kind in kinds[:-1]},
        **{f"rss_ratio_to_{kind}": ratio("rss_mib", kind) for kind in kinds[:-1]},
    }


def main() -> None:
    """Measure on embedded engines and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        postgres_engine(choice="embedded", announce=print) as postgres,
        nats_engine(choice="embedded", announce=print) as broker,
    ):
        figures = measure(Path(folder), options.rounds, postgres.url, broker.url)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
