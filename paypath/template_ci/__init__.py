"""Templates tested as a product: every render in both engines, every upgrade that a living service may make.

For those who maintain templates, ours or another company's; ``make templates`` is the way in. What is tested
is declared in `templates/ci.yml`; the report, a page and a JSON document, can be published as it is.
"""

from paypath.template_ci.cases import Case, RenderCase, UpgradeCase
from paypath.template_ci.declared import Declared, read_declared
from paypath.template_ci.results import CaseResult, Report, StepResult, report_document
from paypath.template_ci.running import Order, run_templates

__all__ = [
    "Case",
    "CaseResult",
    "Declared",
    "Order",
    "RenderCase",
    "Report",
    "StepResult",
    "UpgradeCase",
    "read_declared",
    "report_document",
    "run_templates",
]
