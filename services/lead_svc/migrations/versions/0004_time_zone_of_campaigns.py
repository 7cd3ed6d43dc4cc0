"""The time zone of campaigns, in which times without an offset from UTC are read."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the column; campaigns that are there have UTC until an event tells of them again."""
    op.add_column("campaigns", sa.Column("time_zone", sa.Text(), server_default="UTC", nullable=False))


def downgrade() -> None:
    """Undo it."""
    op.drop_column("campaigns", "time_zone")
