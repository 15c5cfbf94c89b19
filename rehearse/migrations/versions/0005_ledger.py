"""The refresh ledger."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "refresh_cycle",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("sandbox", sa.Text, nullable=False, index=True),
        sa.Column("licence", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("org_id", sa.Text),
        sa.Column("requested", sa.Text, nullable=False),
        sa.Column("copied", sa.Text),
        sa.Column("activated", sa.Text),
        sa.Column("seen", sa.Text, nullable=False),
    )
