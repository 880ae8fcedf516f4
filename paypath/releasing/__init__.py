"""A release of the platform: one version everywhere, its changelog, its tag, and its entry in the record.

For those who maintain the platform; ``make release VERSION=X.Y.Z`` is the way in.
"""

from paypath.releasing.perform import release
from paypath.releasing.plan import Plan, Refused, plan_past_release, plan_release

__all__ = ["Plan", "Refused", "plan_past_release", "plan_release", "release"]
