"""Validated deployments that wait."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "validation",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("completed", sa.Text, nullable=False),
    )
