"""When the records of a baseline were destroyed."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("baseline", sa.Column("pruned", sa.Text))
