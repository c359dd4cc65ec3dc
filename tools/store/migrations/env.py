"""Run by Alembic with the connection that `tools.store.database.migrate` opened."""

from alembic import context

from tools.store.tables import METADATA

connection = context.config.attributes["connection"]
context.configure(
    connection=connection, target_metadata=METADATA, render_as_batch=True, transactional_ddl=True
)
with context.begin_transaction():
    context.run_migrations()
