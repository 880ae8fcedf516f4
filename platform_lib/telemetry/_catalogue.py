"""Every metric of the platform, declared once: what it is called, counts, and may say about a measurement.

What records a metric takes its instrument from here; `docs/reference/metrics.md` is made from the same data.
Source: OpenTelemetry semantic conventions 1.44, unless a metric says otherwise.
"""

from __future__ import annotations

from platform_lib.telemetry._instruments import (
    DURATION_BOUNDS,
    Metric,
    declare_counter,
    declare_histogram,
    declare_observed,
)

_HTTP = "semantic conventions, HTTP metrics"
_DATABASE = "semantic conventions, database client metrics"
_MESSAGING = "semantic conventions, messaging client metrics"
_PROCESS = "semantic conventions, process metrics"
_CPYTHON = "semantic conventions, CPython metrics"
_OURS = "the platform"

_LAG_BOUNDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_DATABASE_BOUNDS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0)

# HTTP server

server_request_duration = declare_histogram(
    Metric(
        "http.server.request.duration",
        "histogram",
        "s",
        "Duration of HTTP server requests.",
        _HTTP,
        "stable",
        required=("http.request.method", "url.scheme"),
        conditional=("http.route", "http.response.status_code", "error.type"),
        recommended=("network.protocol.version",),
        bounds=DURATION_BOUNDS,
    )
)
server_active_requests = declare_observed(
    Metric(
        "http.server.active_requests",
        "observable up-down counter",
        "{request}",
        "Number of active HTTP server requests.",
        _HTTP,
        "development",
        required=("http.request.method", "url.scheme"),
    )
)
server_oldest_request = declare_observed(
    Metric(
        "platform.http.server.oldest_request.age",
        "observable gauge",
        "s",
        "How long the oldest request in flight has been served; 0 if there is none.",
        _OURS,
        "platform",
    )
)

# The process

loop_lag = declare_histogram(
    Metric(
        "platform.event_loop.lag",
        "histogram",
        "s",
        "How late the event loop called what was due.",
        _OURS,
        "platform",
        bounds=_LAG_BOUNDS,
    )
)
memory_usage = declare_observed(
    Metric(
        "process.memory.usage",
        "observable up-down counter",
        "By",
        "The amount of physical memory in use.",
        _PROCESS,
        "development",
    )
)
cpu_time = declare_observed(
    Metric(
        "process.cpu.time",
        "observable counter",
        "s",
        "Total CPU seconds broken down by different CPU modes.",
        _PROCESS,
        "development",
        required=("cpu.mode",),
    )
)
thread_count = declare_observed(
    Metric(
        "process.thread.count",
        "observable up-down counter",
        "{thread}",
        "Process threads count.",
        _PROCESS,
        "development",
    )
)
file_descriptor_count = declare_observed(
    Metric(
        "process.unix.file_descriptor.count",
        "observable up-down counter",
        "{file_descriptor}",
        "Number of UNIX file descriptors in use by the process.",
        _PROCESS,
        "development",
    )
)
gc_collections = declare_observed(
    Metric(
        "cpython.gc.collections",
        "observable counter",
        "{collection}",
        "The number of times a generation was collected since interpreter start.",
        _CPYTHON,
        "development",
        required=("cpython.gc.generation",),
    )
)
gc_collected_objects = declare_observed(
    Metric(
        "cpython.gc.collected_objects",
        "observable counter",
        "{object}",
        "The total number of objects collected inside a generation since interpreter start.",
        _CPYTHON,
        "development",
        required=("cpython.gc.generation",),
    )
)
gc_uncollectable_objects = declare_observed(
    Metric(
        "cpython.gc.uncollectable_objects",
        "observable counter",
        "{object}",
        "The total number of objects which were found to be uncollectable inside a generation since "
        "interpreter start.",
        _CPYTHON,
        "development",
        required=("cpython.gc.generation",),
    )
)

# Health and workers

health_status = declare_observed(
    Metric(
        "platform.health.status",
        "observable gauge",
        "1",
        "The verdict on a health check: 0 passes, 1 warns, 2 fails.",
        _OURS,
        "platform",
        required=("check",),
    )
)
health_check_duration = declare_histogram(
    Metric(
        "platform.health.check.duration",
        "histogram",
        "s",
        "How long one run of a health check took.",
        _OURS,
        "platform",
        required=("check",),
        conditional=("error.type",),
        bounds=DURATION_BOUNDS,
    )
)
health_transitions = declare_counter(
    Metric(
        "platform.health.transitions",
        "counter",
        "{transition}",
        "How often a health check turned to failing or back; each is logged.",
        _OURS,
        "platform",
        required=("check", "to"),
    )
)
worker_crashes = declare_counter(
    Metric(
        "platform.worker.crashes",
        "counter",
        "{crash}",
        "How often a worker ended with an error.",
        _OURS,
        "platform",
        required=("worker", "error.type"),
    )
)
worker_restarts = declare_counter(
    Metric(
        "platform.worker.restarts",
        "counter",
        "{restart}",
        "How often a worker was started again after a crash.",
        _OURS,
        "platform",
        required=("worker",),
    )
)

# HTTP client

client_request_duration = declare_histogram(
    Metric(
        "http.client.request.duration",
        "histogram",
        "s",
        "Duration of HTTP client requests.",
        _HTTP,
        "stable",
        required=("http.request.method", "server.address", "server.port"),
        conditional=("http.response.status_code", "error.type"),
        recommended=("network.protocol.version",),
        bounds=DURATION_BOUNDS,
    )
)
client_active_requests = declare_observed(
    Metric(
        "http.client.active_requests",
        "observable up-down counter",
        "{request}",
        "Number of active HTTP requests.",
        _HTTP,
        "development",
        required=("server.address", "server.port"),
        recommended=("http.request.method",),
    )
)
client_retries = declare_counter(
    Metric(
        "platform.http.client.retries",
        "counter",
        "{retry}",
        "How often an attempt was followed by another; error.type is why.",
        _OURS,
        "platform",
        required=("peer", "error.type"),
    )
)
client_rejections = declare_counter(
    Metric(
        "platform.http.client.rejections",
        "counter",
        "{call}",
        "Calls that were not even tried: the circuit is open, no turn came in time, or no time was left.",
        _OURS,
        "platform",
        required=("peer", "reason"),
    )
)
client_circuit = declare_observed(
    Metric(
        "platform.http.client.circuit_breaker.state",
        "observable gauge",
        "1",
        "The circuit to a peer: 0 is closed, 1 is probing, 2 is open.",
        _OURS,
        "platform",
        required=("peer",),
    )
)
client_limiter_wait = declare_histogram(
    Metric(
        "platform.http.client.limiter.wait_time",
        "histogram",
        "s",
        "How long a call waited for its turn; calls that had it at once are not in it.",
        _OURS,
        "platform",
        required=("peer",),
        bounds=DURATION_BOUNDS,
    )
)

# Database

database_operation_duration = declare_histogram(
    Metric(
        "db.client.operation.duration",
        "histogram",
        "s",
        "Duration of database client operations.",
        _DATABASE,
        "stable",
        required=("db.system.name",),
        conditional=(
            "db.namespace",
            "db.operation.name",
            "db.response.status_code",
            "error.type",
            "server.port",
        ),
        recommended=("db.query.summary", "server.address"),
        bounds=_DATABASE_BOUNDS,
    )
)
pool_connections = declare_observed(
    Metric(
        "db.client.connection.count",
        "observable up-down counter",
        "{connection}",
        "The number of connections that are currently in state described by the `state` attribute.",
        _DATABASE,
        "development",
        required=("db.client.connection.pool.name", "db.client.connection.state"),
    )
)
pool_max = declare_observed(
    Metric(
        "db.client.connection.max",
        "observable up-down counter",
        "{connection}",
        "The maximum number of open connections allowed.",
        _DATABASE,
        "development",
        required=("db.client.connection.pool.name",),
    )
)
pool_idle_min = declare_observed(
    Metric(
        "db.client.connection.idle.min",
        "observable up-down counter",
        "{connection}",
        "The minimum number of idle open connections allowed.",
        _DATABASE,
        "development",
        required=("db.client.connection.pool.name",),
    )
)
pool_pending = declare_observed(
    Metric(
        "db.client.connection.pending_requests",
        "observable up-down counter",
        "{request}",
        "The number of current pending requests for an open connection.",
        _DATABASE,
        "development",
        required=("db.client.connection.pool.name",),
    )
)
pool_timeouts = declare_observed(
    Metric(
        "db.client.connection.timeouts",
        "observable counter",
        "{timeout}",
        "The number of connection timeouts that have occurred trying to obtain a connection from the pool.",
        _DATABASE,
        "development",
        required=("db.client.connection.pool.name",),
    )
)
pool_wait_time = declare_histogram(
    Metric(
        "db.client.connection.wait_time",
        "histogram",
        "s",
        "The time it took to obtain an open connection from the pool.",
        _DATABASE,
        "development",
        required=("db.client.connection.pool.name",),
        bounds=_DATABASE_BOUNDS,
    )
)

# Messaging

_MESSAGE = {
    "conditional": (
        "error.type",
        "messaging.consumer.group.name",
        "messaging.destination.name",
        "messaging.operation.type",
        "server.address",
    ),
    "recommended": ("server.port",),
}
messaging_operation_duration = declare_histogram(
    Metric(
        "messaging.client.operation.duration",
        "histogram",
        "s",
        "Duration of messaging operation initiated by a producer or consumer client.",
        _MESSAGING,
        "development",
        required=("messaging.operation.name", "messaging.system"),
        bounds=DURATION_BOUNDS,
        **_MESSAGE,
    )
)
messaging_sent = declare_counter(
    Metric(
        "messaging.client.sent.messages",
        "counter",
        "{message}",
        "Number of messages producer attempted to send to the broker.",
        _MESSAGING,
        "development",
        required=("messaging.operation.name", "messaging.system"),
        conditional=("error.type", "messaging.destination.name", "server.address"),
        recommended=("server.port",),
    )
)
messaging_consumed = declare_counter(
    Metric(
        "messaging.client.consumed.messages",
        "counter",
        "{message}",
        "Number of messages that were delivered to the application.",
        _MESSAGING,
        "development",
        required=("messaging.operation.name", "messaging.system"),
        conditional=(
            "messaging.consumer.group.name",
            "messaging.destination.name",
            "server.address",
        ),
        recommended=("server.port",),
    )
)
messaging_process_duration = declare_histogram(
    Metric(
        "messaging.process.duration",
        "histogram",
        "s",
        "Duration of processing operation.",
        _MESSAGING,
        "development",
        required=("messaging.operation.name", "messaging.system"),
        conditional=(
            "error.type",
            "messaging.consumer.group.name",
            "messaging.destination.name",
            "server.address",
        ),
        recommended=("server.port",),
        bounds=DURATION_BOUNDS,
    )
)
outbox_waiting = declare_observed(
    Metric(
        "platform.outbox.waiting",
        "observable gauge",
        "{event}",
        "Events that are stored and not yet published; counted up to 10 000.",
        _OURS,
        "platform",
    )
)
outbox_parked = declare_observed(
    Metric(
        "platform.outbox.parked",
        "observable gauge",
        "{event}",
        "Events that the broker refused too often; a person has to look at them. Counted up to 10 000.",
        _OURS,
        "platform",
    )
)
outbox_lag = declare_observed(
    Metric(
        "platform.outbox.lag",
        "observable gauge",
        "s",
        "How long ago the event that waits longest was stored; 0 if none waits.",
        _OURS,
        "platform",
    )
)
