"""Calls out to HTTP peers and PostgreSQL: a span each, a time limit, and errors that say what happened."""

from platform_lib.clients.http import (
    CircuitBreakerSettings,
    HttpClient,
    HttpClientSettings,
    Reply,
    RetrySettings,
    http_client,
)
from platform_lib.clients.postgres import (
    CannotConnect,
    Connection,
    Postgres,
    PostgresSettings,
    Record,
    postgres,
    violated_constraint,
)
from platform_lib.clients.queries import Queries, Query

__all__ = [
    "CannotConnect",
    "CircuitBreakerSettings",
    "Connection",
    "HttpClient",
    "HttpClientSettings",
    "Postgres",
    "PostgresSettings",
    "Queries",
    "Query",
    "Record",
    "Reply",
    "RetrySettings",
    "http_client",
    "postgres",
    "violated_constraint",
]
