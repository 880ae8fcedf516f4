"""The test kit: what a service's tests need, as fixtures (see `plugin`) and as plain names."""

from platform_lib.testing._client import in_process_client, lifespan
from platform_lib.testing._databases import Databases
from platform_lib.testing._service_process import ServiceNotReady, ServiceProcess, StartService, start_service
from platform_lib.testing._spans import CapturedSpans, capture_spans

__all__ = [
    "CapturedSpans",
    "Databases",
    "ServiceNotReady",
    "ServiceProcess",
    "StartService",
    "capture_spans",
    "in_process_client",
    "lifespan",
    "start_service",
]
