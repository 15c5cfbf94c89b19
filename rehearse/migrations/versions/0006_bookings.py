"""Bookings: no two of one sandbox overlap, by a rule of the database; their state, and who did what with them.

PostgreSQL takes ranges of text, in the order of their bytes, for names and instants alike: an exclusion constraint
over plain text would need an extension that an ordinary server lacks.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_POSTGRES = (
    'CREATE TYPE text_range AS RANGE (subtype = text, collation = "C")',
    "ALTER TABLE booking ADD CONSTRAINT booking_overlap EXCLUDE USING gist ("
    "text_range(sandbox, sandbox, '[]') WITH &&, text_range(start, free_at) WITH &&) WHERE (cancelled IS NULL)",
)
_SQLITE = """
CREATE TRIGGER booking_overlap_{event} BEFORE {event} ON booking WHEN NEW.cancelled IS NULL AND EXISTS (
    SELECT 1 FROM booking WHERE sandbox = NEW.sandbox AND cancelled IS NULL AND id <> NEW.id
    AND start < NEW.free_at AND free_at > NEW.start)
BEGIN SELECT RAISE(ABORT, 'booking_overlap'); END
"""


def upgrade() -> None:
    op.add_column("booking", sa.Column("state", sa.Text, nullable=False, server_default="confirmed"))
    op.create_table(
        "booking_event",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("booking", sa.Text, nullable=False, index=True),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("sandbox", sa.Text, nullable=False),
        sa.Column("start", sa.Text, nullable=False),
        sa.Column("end", sa.Text, nullable=False),
    )
    if op.get_bind().dialect.name == "postgresql":
        for statement in _POSTGRES:
            op.execute(statement)
    else:
        for event in ("INSERT", "UPDATE"):
            op.execute(_SQLITE.format(event=event))
