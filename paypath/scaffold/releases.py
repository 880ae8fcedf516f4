"""Released versions of the platform and its templates: known by tag, by the record, or carried along."""

from paypath.scaffold._record import Release, template_hash
from paypath.scaffold.sources import releases

__all__ = ["Release", "releases", "template_hash"]
