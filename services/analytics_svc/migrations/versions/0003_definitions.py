"""Checksums of repeatable migrations, and the version of the definitions that roll-ups were stored under.

The roll-ups that are there were made by the views of revision 0002, which are version 1.

Revision ID: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create both tables."""
    op.create_table(
        "repeatable_migrations",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column(
            "checksum", sa.Text, nullable=False, comment="SHA-256 of the statements, without comments and spacing."
        ),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        comment="SQL files that migrate applies again when they change.",
    )
    op.create_table(
        "rollup_state",
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        comment="One row: the version of the definitions by which the roll-ups were summed.",
    )
    op.execute("INSERT INTO rollup_state (version) VALUES (1)")


def downgrade() -> None:
    """Drop both tables; the views stay."""
    op.drop_table("rollup_state")
    op.drop_table("repeatable_migrations")
