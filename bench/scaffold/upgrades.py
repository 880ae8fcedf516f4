"""The tool on a fleet: what upgrades would do, and the upgrades, beside `copier update`."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from clock import Took, milliseconds, ratio, timed
from services import committed_files, copies, files_at

tools = Path(sys.executable).parent
fleet = (tools / "paypath", "fleet")
some_newer = (2, 3)  # the exit codes of a plan


def plans(folder: Path, services: Sequence[Path], rounds: int) -> dict[str, float]:
    """Plan the fleet, cold and warm, with all processes and with one; nothing is written in the services."""
    took: dict[str, list[float]] = {"": [], "_cpu": [], "_one_job": [], "_warm": []}
    single = []
    for number in range(rounds):
        cache = folder / f"cache-{number}"
        cold = planned(services, cache)
        took[""].append(cold.wall)
        took["_cpu"].append(cold.cpu)
        took["_warm"].append(planned(services, cache).wall)
        took["_one_job"].append(planned(services, folder / f"cache-one-{number}", "--jobs", "1").wall)
        upgrade = (tools / "paypath", "upgrade", "--plan", services[number])
        single.append(timed(upgrade, folder, empty(folder / f"cache-single-{number}"), some_newer).wall)
    found = {f"plan{name}_ms_per_service": milliseconds(each, len(services)) for name, each in took.items()}
    found["upgrade_plan_ms"] = milliseconds(single)
    print("plans: " + ", ".join(f"{name} {value:.0f}" for name, value in found.items()))
    return found


def applies(folder: Path, version: str, services: Sequence[Path], rounds: int) -> dict[str, float]:
    """Upgrade the fleet in each round; and with copier a part of it, so that it has done all in the end."""
    ours, theirs, two = [], [], []
    differences: list[str] = []
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}: fleet apply on {len(services)}, copier update on a share")
        made = copies(services, folder / f"ours-{number}")
        ours.append(applied(made, folder / f"apply-{number}").wall / len(services))
        part = copies(services[number::rounds], folder / f"theirs-{number}")
        theirs.append(sum(updated(service).wall for service in part) / len(part))
        for service in part:
            differences += differing(folder / f"ours-{number}" / service.name, service, version)
        part = copies(services[number::rounds], folder / f"two-{number}")
        with ThreadPoolExecutor(2) as threads:
            began = time.perf_counter()
            list(threads.map(updated, part))
            two.append((time.perf_counter() - began) / len(part))
        for used in ("ours", "apply", "theirs", "two"):
            shutil.rmtree(folder / f"{used}-{number}")
        print(
            f"round {number + 1}: fleet apply {ours[-1] * 1000:.0f} ms a service, copier update "
            f"{theirs[-1] * 1000:.0f} ms, two at once {two[-1] * 1000:.0f} ms"
        )
    for difference in differences[:10]:
        print(f"differs: {difference}")
    return {
        "apply_ms_per_service": milliseconds(ours),
        "copier_update_ms": milliseconds(theirs),
        "copier_timed": len(services),
        "fleet_vs_copier_update": ratio(theirs, ours),
        "fleet_vs_copier_update_two_at_once": ratio(two, ours),
        "differences": len(differences),
    }


def growth(folder: Path, services: Sequence[Path], part: int) -> dict[str, float]:
    """Upgrade copies of all *services*, between two upgrades of a *part* of them."""
    seconds = []
    for number, some in enumerate((services[:part], services, services[-part:])):
        print(f"growth: fleet apply on {len(some)}")
        made = copies(some, folder / f"large-{number}")
        seconds.append(applied(made, folder / f"apply-large-{number}").wall / len(some))
        shutil.rmtree(folder / f"large-{number}")
    small = (seconds[0] + seconds[2]) / 2
    print(f"growth: {small * 1000:.0f} ms a service of {part}, {seconds[1] * 1000:.0f} ms of {len(services)}")
    return {"linear_services": len(services), "linear_ratio": round(seconds[1] / small, 2)}


def planned(services: Sequence[Path], cache: Path, *options: str) -> Took:
    """Plan upgrades of *services* with what is in *cache*."""
    listed = cache.with_suffix(".txt")
    listed.write_text("".join(f"{service}\n" for service in services), encoding="utf-8")
    return timed([*fleet, "plan", listed, "--json", *options], cache.parent, empty(cache), some_newer)


def applied(services: Sequence[Path], room: Path) -> Took:
    """Upgrade *services*, cold; all must be clean."""
    room.mkdir()
    listed = room / "services.txt"
    listed.write_text("".join(f"{service}\n" for service in services), encoding="utf-8")
    command = [*fleet, "apply", listed, "--no-tests", "--json", "--run", room / "run"]
    return timed(command, room, empty(room / "cache"))


def updated(service: Path) -> Took:
    """Have copier update *service*."""
    return timed([tools / "copier", "update", "--defaults", "--quiet"], service)


def differing(ours: Path, theirs: Path, version: str) -> list[str]:
    """Return the files in which our branch and copier's work tree differ."""
    first, second = files_at(ours, f"paypath/upgrade-{version}"), committed_files(theirs)
    return [
        f"{theirs.name}: {path}" for path in sorted(first | second) if first.get(path) != second.get(path)
    ]


def empty(cache: Path) -> dict[str, str]:
    """Return the variable that makes *cache*, which need not exist, the cache folder."""
    return {"PAYPATH_CACHE": str(cache)}
