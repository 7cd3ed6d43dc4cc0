"""Leads that are not to be called any more have no next contact; formerly only calls and conversions removed it."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Remove it; versions stay, as no event carries it."""
    op.execute("""
        UPDATE leads SET next_contact_date = NULL
        WHERE next_contact_date IS NOT NULL AND status IN ('completed', 'failed', 'blacklisted')
    """)


def downgrade() -> None:
    """There is nothing to undo."""
