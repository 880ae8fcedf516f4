"""Upgrades of living services: render the old and the new version, merge with git, lose nothing.

`upgrade_run` begins a run over one service or hundreds; its `plan` tells what an upgrade would do::

    with upgrade_run() as run:
        plan = run.plan(Path("services/payments"))
        print(plan.state, [change.path for change in plan.open])
"""

from paypath.scaffold.upgrade.answering import AnswerChange, Said
from paypath.scaffold.upgrade.applying import Upgraded, Wishes
from paypath.scaffold.upgrade.classes import FileChange, FileClass
from paypath.scaffold.upgrade.commits import Step
from paypath.scaffold.upgrade.errors import (
    AnswersNeeded,
    NoService,
    TrustNeeded,
    UnknownVersion,
    UpgradeError,
)
from paypath.scaffold.upgrade.merging import Decisions
from paypath.scaffold.upgrade.migrations import Migration
from paypath.scaffold.upgrade.plans import Choices, Plan, PlanState
from paypath.scaffold.upgrade.resolving import Resolution, end_resolution, resolution_of
from paypath.scaffold.upgrade.services import Service, find_service
from paypath.scaffold.upgrade.session import UpgradeRun, upgrade_run
from paypath.scaffold.upgrade.suites import SuiteRun
from paypath.scaffold.upgrade.undoing import Undone

__all__ = [
    "AnswerChange",
    "AnswersNeeded",
    "Choices",
    "Decisions",
    "FileChange",
    "FileClass",
    "Migration",
    "NoService",
    "Plan",
    "PlanState",
    "Resolution",
    "Said",
    "Service",
    "Step",
    "SuiteRun",
    "TrustNeeded",
    "Undone",
    "UnknownVersion",
    "UpgradeError",
    "UpgradeRun",
    "Upgraded",
    "Wishes",
    "end_resolution",
    "find_service",
    "resolution_of",
    "upgrade_run",
]
