"""Leads that are done have no next contact, whichever way they became so: once only calls and conversions saw to it."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Take it from them; versions stay, as no event tells of it."""
    op.execute("""
        UPDATE leads SET next_contact_date = NULL
        WHERE next_contact_date IS NOT NULL AND status IN ('completed', 'failed', 'blacklisted')
    """)


def downgrade() -> None:
    """There is nothing to undo."""
