"""What Alembic runs to reach the database: it gets an open connection and the callback from `_run`."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    on_version_apply=context.config.attributes["on_version_apply"],
    # A migration that fails leaves the ones before it in place, and the next run goes on from there.
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
