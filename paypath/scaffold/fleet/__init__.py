"""Upgrades of a fleet: hundreds of services in parallel, in waves, with a journal to resume from.

::

    targets = read_targets(["services.txt"])
    with local_executor() as executor:
        journal = apply_fleet(Path("runs/2026-11"), targets, executor, Order(tests=False))
    print(report_document(journal.folder)["counts"])

Any `concurrent.futures.Executor` of processes will do, where all of them see the same folders;
`dask_executor` gives that of a cluster.
"""

from paypath.scaffold.fleet.errors import BadFleet, FleetError, FleetStopped
from paypath.scaffold.fleet.executors import dask_executor, local_executor
from paypath.scaffold.fleet.journal import Journal, open_journal
from paypath.scaffold.fleet.orders import Order
from paypath.scaffold.fleet.outcomes import Outcome, State
from paypath.scaffold.fleet.pulls import pull_request
from paypath.scaffold.fleet.reports import counts, report_document, report_page
from paypath.scaffold.fleet.running import (
    Progress,
    apply_fleet,
    fleet_plan,
    fleet_status,
    gate_reached,
    resume_fleet,
)
from paypath.scaffold.fleet.stopping import Stop
from paypath.scaffold.fleet.targets import Target, read_targets

__all__ = [
    "BadFleet",
    "FleetError",
    "FleetStopped",
    "Journal",
    "Order",
    "Outcome",
    "Progress",
    "State",
    "Stop",
    "Target",
    "apply_fleet",
    "counts",
    "dask_executor",
    "fleet_plan",
    "fleet_status",
    "gate_reached",
    "local_executor",
    "open_journal",
    "pull_request",
    "read_targets",
    "report_document",
    "report_page",
    "resume_fleet",
]
