"""Every attribute that the platform puts on a span or a measurement, and what it says.

Source: OpenTelemetry semantic conventions 1.44, but for the last part, which is ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, TypeAlias

Stability: TypeAlias = Literal["stable", "development", "platform"]

_stable = {
    "client.address": "address of the client's end of the connection",
    "db.namespace": "the database, and behind a bar the schema if the URL sets a `search_path`",
    "db.operation.name": "the statement's first word; left out for WITH, which can hold several",
    "db.query.summary": "the name of the query in its SQL file",
    "db.response.status_code": "the SQLSTATE of an error",
    "db.system.name": "`postgresql`",
    "error.type": "what failed: an exception's class, a status, or a reason in one word; never its text",
    "http.request.method": "the method; `_OTHER` if it is none of RFC 9110 and RFC 5789",
    "http.request.method_original": "the method as it was sent, redacted, where the other is `_OTHER`",
    "http.request.resend_count": "how many attempts there were before this one",
    "http.response.status_code": "the status of the response",
    "http.route": "the route template, prefixes of routers and mounts included; never a path",
    "network.peer.address": "address of the other end of the connection",
    "network.peer.port": "port of the other end of the connection",
    "network.protocol.version": "the version of HTTP, such as `1.1`",
    "server.address": "host of the server as the caller names it",
    "server.port": "port of the server",
    "url.full": "the URL without its query, redacted",
    "url.path": "the path, redacted",
    "url.scheme": "`http` or `https`",
    "user_agent.original": "the User-Agent header, redacted, at most 256 characters",
}

_development = {
    "cpu.mode": "`user` or `system`",
    "cpython.gc.generation": "generation of the garbage collector: 0, 1 or 2",
    "db.client.connection.pool.name": "host, port and database, as `host:port/database`",
    "db.client.connection.state": "`idle` or `used`",
    "messaging.consumer.group.name": "the durable consumer that replicas share",
    "messaging.destination.name": "the subject",
    "messaging.message.body.size": "size of the message in bytes",
    "messaging.message.id": "the id of the event",
    "messaging.operation.name": "`publish`, `fetch` or `process`",
    "messaging.operation.type": "`send`, `receive` or `process`",
    "messaging.system": "`nats`",
}

_ours = {
    "check": "the name of the health check",
    "paypath.refusal": "the code of the refusal that ended the work: an answer, not an error",
    "peer": "the name of the HTTP client",
    "reason": "`circuit_open`, `too_many_calls` or `deadline_passed`",
    "to": "`fail` or `pass`",
    "worker": "the name of the worker",
}

meanings: Mapping[str, str] = MappingProxyType(_stable | _development | _ours)
"""What each attribute says, by its name."""


def stability_of(attribute: str) -> Stability:
    """Return how settled *attribute* is in the conventions; `platform` for one of ours."""
    return "stable" if attribute in _stable else "development" if attribute in _development else "platform"
