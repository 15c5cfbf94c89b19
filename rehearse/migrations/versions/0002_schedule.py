"""Bookings."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "booking",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("sandbox", sa.Text, nullable=False, index=True),
        sa.Column("start", sa.Text, nullable=False),
        sa.Column("end", sa.Text, nullable=False),
        sa.Column("free_at", sa.Text, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("release", sa.Text),
        sa.Column("rehearsal", sa.Text),
        sa.Column("kind", sa.Text),
        sa.Column("prepare", sa.Text, nullable=False),
        sa.Column("ready_by", sa.Text),
        sa.Column("burns", sa.Boolean, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("request", sa.Text),
        sa.Column("made", sa.Text, nullable=False),
        sa.Column("cancelled", sa.Text),
    )
    op.create_table(
        "release",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("go_live", sa.Text, nullable=False),
        sa.Column("advance", sa.Text, nullable=False),
        sa.Column("seen", sa.Text, nullable=False),
    )
