"""The named SQL of outbox and inbox, read once."""

from platform_lib.clients import Queries

queries = Queries.from_package("platform_lib.events", "sql/queries.sql")
