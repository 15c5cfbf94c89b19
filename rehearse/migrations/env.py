"""Alembic's entry: run the migrations on the connection that rehearse.state hands over."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=False)
context.run_migrations()
