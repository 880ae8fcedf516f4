"""What the tool costs beside copier and cookiecutter, as whole processes, side by side in one run.

The fleet consists of payment services made from the first release, each with a name and edits of its own,
and goes to this commit, tagged as the next release: each service needs two renders and a merge of its own.
Figures of a fleet begin with an empty cache folder unless they say warm, and `paypath fleet` takes its
default number of processes, one a core. `copier update` runs on every service once, on an equal copy; what
it made is compared file by file with the branch of `paypath fleet apply`, which runs no tests, as copier runs
none. Medians of rounds. All of it takes 36 minutes on two cores, most of it `copier update`; `--only` asks
for a part. The last line is one JSON object:
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import tempfile
from pathlib import Path

from services import fleet_at, source_at
from starts import news, starts
from upgrades import applies, growth, plans

repository = Path(__file__).parents[2]
figures = {
    "new_vs_cookiecutter": "seconds of `paypath new` / of cookiecutter with git init and commit",
    "new_vs_copier": "seconds of `paypath new` / of `copier copy` with the same; wanted: at most 1",
    "new_ms": "`paypath new`",
    "python_ms": "`python -c pass`, below which nothing of the next four can be",
    "cli_start_ms": "`paypath --version`; wanted below 150",
    "completion_ms": "what a shell runs at `paypath <TAB>`; wanted below 150",
    "completion_option_ms": "the same at `paypath new --<TAB>`",
    "completion_kind_ms": "the same at `paypath new --kind <TAB>`, which asks the templates",
    "plan_ms_per_service": "`paypath fleet plan`: wall time / services; wanted at most 200",
    "plan_cpu_ms_per_service": "its processor time, of all processes / services",
    "plan_one_job_ms_per_service": "wall time with --jobs 1 / services",
    "plan_warm_ms_per_service": "wall time with the renders of another run kept / services",
    "upgrade_plan_ms": "`paypath upgrade --plan` of one service",
    "apply_ms_per_service": "`paypath fleet apply --no-tests`: wall time / services",
    "copier_update_ms": "`copier update`: wall time of one, others neither before it has ended nor beside it",
    "copier_timed": "how many of those were timed; no figure is extrapolated from fewer",
    "fleet_vs_copier_update": "copier_update_ms / apply_ms_per_service: times as fast; wanted at least 8",
    "fleet_vs_copier_update_two_at_once": "the same with two of copier's at any time",
    "differences": "files that copier made otherwise, over all services; wanted 0",
    "services": "how many services the fleet has",
    "linear_services": "how many the large fleet has",
    "linear_ratio": "apply_ms_per_service of the large fleet / of the fleet; about 1 or less is linear",
}
help_text = f"{__doc__}\n" + "\n".join(f"  {name}: {meaning}" for name, meaning in figures.items())


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=help_text, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--rounds", type=int, default=7, help="of `new` and starts, after one to warm up  [7]"
    )
    parser.add_argument("--fleet-rounds", type=int, default=3, help="of plans and upgrades  [3]")
    parser.add_argument("--services", type=int, default=100, metavar="N", help="in the fleet  [100]")
    parser.add_argument(
        "--many", type=int, default=1000, metavar="N", help="in the large one; 0: none  [1000]"
    )
    parser.add_argument("--only", choices=["starts", "plans", "applies", "growth"], help="a part of it all")
    asked = parser.parse_args()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # whoever writes it to a file follows it there

    def wanted(part: str) -> bool:
        return asked.only in {None, part}

    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="bench-scaffold-") as name:
        folder = Path(name)
        source = source_at(repository, folder / "source")
        if wanted("starts"):
            found |= starts(folder, asked.rounds) | news(folder, source.folder, asked.rounds)
        many = max(asked.many if wanted("growth") else 0, asked.services) if asked.only != "starts" else 0
        print(f"making {many} services of {source.old}; they will go to {source.new}")
        services = fleet_at(source, folder / "fleet", many)
        few = services[: asked.services]
        if wanted("plans"):
            found |= plans(folder, few, asked.fleet_rounds)
        if wanted("applies"):
            found |= applies(folder, source.new, few, asked.fleet_rounds)
        if wanted("growth") and asked.many:
            found |= growth(folder, services, asked.services)
    result = {**found, "services": asked.services}
    for figure, meaning in figures.items():
        if figure in result:
            print(f"{result[figure]:>10} {figure}: {meaning}")
    print(json.dumps({figure: result[figure] for figure in figures if figure in result}))


if __name__ == "__main__":
    main()
