"""Letter case does not tell two sandboxes apart: the rule against overlapping bookings follows."""

from alembic import op

revision = "0012"
down_revision = "0011"

_POSTGRES = (
    "ALTER TABLE booking DROP CONSTRAINT booking_overlap",
    "ALTER TABLE booking ADD CONSTRAINT booking_overlap EXCLUDE USING gist ("
    "text_range(lower(sandbox), lower(sandbox), '[]') WITH &&, text_range(start, free_at) WITH &&) "
    "WHERE (cancelled IS NULL)",
)
_SQLITE = """
CREATE TRIGGER booking_overlap_{event} BEFORE {event} ON booking WHEN NEW.cancelled IS NULL AND EXISTS (
    SELECT 1 FROM booking WHERE lower(sandbox) = lower(NEW.sandbox) AND cancelled IS NULL AND id <> NEW.id
    AND start < NEW.free_at AND free_at > NEW.start)
BEGIN SELECT RAISE(ABORT, 'booking_overlap'); END
"""


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for statement in _POSTGRES:
            op.execute(statement)
        return
    for event in ("INSERT", "UPDATE"):
        op.execute(f"DROP TRIGGER booking_overlap_{event}")
        op.execute(_SQLITE.format(event=event))
