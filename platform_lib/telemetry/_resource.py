"""Who sends: the attributes that every span, metric and log record of this process shares.

Source: OpenTelemetry semantic conventions 1.44, resource (stable names); `k8s.*` from the downward API.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from opentelemetry.sdk.resources import OTELResourceDetector, Resource

_KUBERNETES = ("k8s.namespace.name", "k8s.pod.name", "k8s.pod.uid", "k8s.deployment.name")


def resource(
    *,
    service_name: str,
    version: str,
    environment: str,
    namespace: str = "",
    environ: Mapping[str, str] | None = None,
) -> Resource:
    """Return the resource; `service.instance.id` is a random UUID of this process.

    A `k8s.*` attribute comes from the variable of its name, `K8S_POD_NAME` for `k8s.pod.name`, which a pod's
    manifest fills by `fieldRef`. `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_SERVICE_NAME` are the operator's word
    and win over all of it.
    """
    environ = os.environ if environ is None else environ
    ours = {
        "service.name": service_name,
        "service.version": version,
        "service.namespace": namespace,
        "deployment.environment.name": environment,
    }
    ours |= {name: environ.get(name.upper().replace(".", "_"), "").strip() for name in _KUBERNETES}
    made = Resource.create({name: value for name, value in ours.items() if value})
    return made.merge(OTELResourceDetector().detect())
