"""Comments of tables in plain words.

Revision ID: 0007
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_COMMENTS = {
    "campaigns": (
        "The campaigns of campaign_svc, as far as leads need them: kept current by its events.",
        "Copy of the campaigns of campaign_svc, updated by its events: the fields that leads need.",
    ),
    "import_failed_rows": (
        "The rows of a file that were not imported, each with its errors, as CSV: kept for a week.",
        "The rows of a file that were not imported, each with its errors, as CSV, for a week.",
    ),
}
"""Comments of tables: before and after."""


def upgrade() -> None:
    """Set the new comments."""
    for table, (old, new) in _COMMENTS.items():
        op.create_table_comment(table, new, existing_comment=old)


def downgrade() -> None:
    """Restore the earlier comments."""
    for table, (old, new) in _COMMENTS.items():
        op.create_table_comment(table, old, existing_comment=new)
