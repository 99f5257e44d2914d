"""Alembic runs this file. The connection and its transaction are the caller's (storage.ledger.migrating)."""

from alembic import context

from storage.ledger.schema import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
with context.begin_transaction():
    context.run_migrations()
