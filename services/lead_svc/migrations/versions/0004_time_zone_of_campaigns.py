"""The time zone of campaigns, in which times without an offset from UTC are read."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the column; existing campaigns have UTC until their next event."""
    op.add_column("campaigns", sa.Column("time_zone", sa.Text(), server_default="UTC", nullable=False))


def downgrade() -> None:
    """Undo it."""
    op.drop_column("campaigns", "time_zone")
