"""How alembic runs here: inside the transaction that `assistant.tickets.database` began."""

from alembic import context
from assistant.tickets.tables import Table

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Table.metadata,
    render_as_batch=True,  # SQLite alters a table by copying it
)
context.run_migrations()
