"""The test kit: what a service's tests need, as fixtures (see `plugin`) and as plain names."""

from platform_lib.testing._canaries import Canaries, Leak
from platform_lib.testing._client import in_process_client, lifespan
from platform_lib.testing._databases import Databases
from platform_lib.testing._described import assert_described
from platform_lib.testing._fixtures import FailCheck
from platform_lib.testing._logs import CapturedLogs, capture_logs
from platform_lib.testing._metrics import CapturedMetrics, Series, capture_metrics
from platform_lib.testing._no_secret import NoSecret, assert_no_secret
from platform_lib.testing._outputs import dump_broker, dump_database
from platform_lib.testing._provider_contract import ProviderApi, ProviderContract
from platform_lib.testing._service_process import ServiceNotReady, ServiceProcess, StartService, start_service
from platform_lib.testing._spans import CapturedSpans, capture_spans

__all__ = [
    "Canaries",
    "CapturedLogs",
    "CapturedMetrics",
    "CapturedSpans",
    "Databases",
    "FailCheck",
    "Leak",
    "NoSecret",
    "ProviderApi",
    "ProviderContract",
    "Series",
    "ServiceNotReady",
    "ServiceProcess",
    "StartService",
    "assert_described",
    "assert_no_secret",
    "capture_logs",
    "capture_metrics",
    "capture_spans",
    "dump_broker",
    "dump_database",
    "in_process_client",
    "lifespan",
    "start_service",
]
