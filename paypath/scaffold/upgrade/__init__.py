"""Upgrades of living services: render the old and the new version, merge with git, lose nothing.

`upgrade_run` begins a run over one service or hundreds; its `plan` tells what an upgrade would do::

    with upgrade_run() as run:
        plan = run.plan(Path("services/payments"))
        print(plan.state, [change.path for change in plan.open])
"""

from paypath.scaffold.upgrade.adopting import Adoption, Candidate, adopt, find_adoption
from paypath.scaffold.upgrade.answering import AnswerChange, Said
from paypath.scaffold.upgrade.applying import Upgraded, Wishes
from paypath.scaffold.upgrade.classes import FileChange, FileClass
from paypath.scaffold.upgrade.commits import Step
from paypath.scaffold.upgrade.distance import Distance
from paypath.scaffold.upgrade.doctor import diagnose
from paypath.scaffold.upgrade.documents import conflict_hunks, plan_document, upgraded_document
from paypath.scaffold.upgrade.errors import (
    AnswersNeeded,
    NoService,
    TrustNeeded,
    UnknownVersion,
    UpgradeError,
)
from paypath.scaffold.upgrade.findings import Finding, Severity
from paypath.scaffold.upgrade.merging import Decisions
from paypath.scaffold.upgrade.migrations import Migration
from paypath.scaffold.upgrade.pages import carried_note, plan_page
from paypath.scaffold.upgrade.plans import Choices, Plan, PlanState
from paypath.scaffold.upgrade.resolving import Resolution, end_resolution, resolution_of
from paypath.scaffold.upgrade.services import Service, find_service
from paypath.scaffold.upgrade.session import UpgradeRun, upgrade_run
from paypath.scaffold.upgrade.standing import Standing
from paypath.scaffold.upgrade.suites import SuiteRun
from paypath.scaffold.upgrade.undoing import Undone

__all__ = [
    "Adoption",
    "AnswerChange",
    "AnswersNeeded",
    "Candidate",
    "Choices",
    "Decisions",
    "Distance",
    "FileChange",
    "FileClass",
    "Finding",
    "Migration",
    "NoService",
    "Plan",
    "PlanState",
    "Resolution",
    "Said",
    "Service",
    "Severity",
    "Standing",
    "Step",
    "SuiteRun",
    "TrustNeeded",
    "Undone",
    "UnknownVersion",
    "UpgradeError",
    "UpgradeRun",
    "Upgraded",
    "Wishes",
    "adopt",
    "carried_note",
    "conflict_hunks",
    "diagnose",
    "end_resolution",
    "find_adoption",
    "find_service",
    "plan_document",
    "plan_page",
    "resolution_of",
    "upgrade_run",
    "upgraded_document",
]
