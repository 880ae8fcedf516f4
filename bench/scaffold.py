"""Compare `paypath new` with `copier copy`, as whole processes, in turns.

`paypath new` initialises git and commits; so does the copier side, since that is what its user types next.
Prints the rounds, then one JSON object: `new_vs_copier` below 1 means that `paypath new` is faster.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

repository = Path(__file__).parents[1]
bin_folder = Path(sys.executable).parent
git = ["git", "-c", "user.name=bench", "-c", "user.email=bench@localhost"]


def seconds(*commands: list[str | Path], folder: Path) -> float:
    """Run the commands in *folder*; return the wall time of all of them."""
    began = time.perf_counter()
    for command in commands:
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - began


def round_of(folder: Path, source: Path) -> tuple[float, float]:
    """Generate once with each; return the seconds of `paypath new` and of copier with git."""
    ours = seconds(
        [
            bin_folder / "paypath",
            "new",
            "ours",
            "--kind",
            "payment-service",
            "--defaults",
            "--source",
            source,
        ],
        folder=folder,
    )
    theirs = seconds(
        [
            bin_folder / "copier",
            "copy",
            "--quiet",
            "--defaults",
            "--data",
            "kind=payment-service",
            source,
            "theirs",
        ],
        ["git", "-C", "theirs", "init", "--quiet"],
        ["git", "-C", "theirs", "add", "--all"],
        [*git, "-C", "theirs", "commit", "--quiet", "--message", "Generate"],
        folder=folder,
    )
    shutil.rmtree(folder / "ours")
    shutil.rmtree(folder / "theirs")
    return ours, theirs


def main() -> None:
    """Run the rounds and print the medians of the ratios."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7, help="rounds after one that warms up (7)")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # A clone of its own, so that both sides read the same committed templates.
        source = folder / "source"
        subprocess.run(["git", "clone", "--quiet", repository, source], check=True)
        round_of(folder, source)
        pairs = [round_of(folder, source) for _ in range(rounds)]
        starts = [seconds([bin_folder / "paypath", "--version"], folder=folder) * 1000 for _ in range(rounds)]
    for ours, theirs in pairs:
        print(f"paypath new {ours:.3f} s   copier copy and git {theirs:.3f} s   ratio {ours / theirs:.2f}")
    result = {
        "new_vs_copier": round(statistics.median(ours / theirs for ours, theirs in pairs), 3),
        "new_ms": round(statistics.median(ours for ours, _ in pairs) * 1000),
        "copier_ms": round(statistics.median(theirs for _, theirs in pairs) * 1000),
        "cli_start_ms": round(statistics.median(starts)),
        "rounds": rounds,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
