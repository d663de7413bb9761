"""Alembic's entrance: runs the numbered migrations on the connection it was given."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"], transactional_ddl=True
)
context.run_migrations()
