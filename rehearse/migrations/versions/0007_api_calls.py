"""The API calls of rehearse by org and hour: what the budget counts."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "api_calls",
        sa.Column("org_id", sa.Text, primary_key=True),
        sa.Column("hour", sa.Text, primary_key=True),
        sa.Column("calls", sa.BigInteger, nullable=False),
    )
