"""What the ledger keeps of each copy, refused requests, what production lists, ready lists, and voided baselines."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    for name in ("sandbox_id", "started", "source", "by", "note", "clone_of", "expected_p50", "expected_p90"):
        op.add_column("refresh_cycle", sa.Column(name, sa.Text))
    op.add_column("refresh_cycle", sa.Column("progress", sa.Integer))
    op.create_table(
        "refresh_refusal",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("sandbox", sa.Text, nullable=False, index=True),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
    )
    op.create_table(
        "sandbox_record",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("licence", sa.Text, nullable=False),
        sa.Column("source_id", sa.Text),
        sa.Column("seen", sa.Text, nullable=False),
        sa.Column("gone", sa.Text),
    )
    op.create_table(
        "refresh_stage",
        sa.Column("cycle", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("started", sa.Text),
        sa.Column("ended", sa.Text),
        sa.Column("estimated", sa.Integer),
        sa.Column("actual", sa.Integer),
        sa.Column("completed", sa.Integer),
    )
    op.create_table(
        "ready_item",
        sa.Column("sandbox", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, primary_key=True),
        sa.Column("item", sa.Text, primary_key=True),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("ticked_by", sa.Text),
        sa.Column("ticked_at", sa.Text),
        sa.Column("note", sa.Text, nullable=False),
    )
    op.create_table(
        "sandbox_arrival",
        sa.Column("sandbox", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, primary_key=True),
        sa.Column("copy", sa.Text, nullable=False),
        sa.Column("checked", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
    )
    op.add_column("baseline", sa.Column("voided", sa.Text))
