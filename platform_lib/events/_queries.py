"""The named SQL of outbox, inbox and dead letters, read once."""

from platform_lib.clients import Queries

queries = Queries.from_package("platform_lib.events", "sql/queries.sql")
