"""Comments of tables and columns in plain words."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_TABLES = {
    "campaign_counts": (
        "How many campaigns a company has that are not deleted. Kept by triggers, so that no list counts them.",
        "Number of campaigns that are not deleted. A trigger maintains it, so that no list counts them.",
    ),
    "campaign_totals": (
        "What lead events say of each campaign.",
        "Totals of each campaign, summed from lead events.",
    ),
    "campaign_calls": (
        "Calls that started in each quarter of an hour, from which the day of any time zone can be cut.",
        "Calls that started in each quarter of an hour, which add up to the day of any time zone.",
    ),
    "members": (
        "The people of each company, by the ids that campaigns, leads and calls name them by.",
        "The members of each company, by the ids to which campaigns, leads and calls refer.",
    ),
}
"""Comments of tables: before and after."""
_DELETED_AT = {
    "campaigns": (
        "Of a deleted campaign, which no list shows.",
        "When the campaign was deleted; null for one that exists.",
    ),
    "members": ("Of a deleted member, whom nothing shows.", "When the member was deleted; null for one that exists."),
}
"""Comments of the columns ``deleted_at``: before and after."""


def upgrade() -> None:
    """Set the new comments."""
    _set_comments(old=0, new=1)


def downgrade() -> None:
    """Set the earlier comments."""
    _set_comments(old=1, new=0)


def _set_comments(*, old: int, new: int) -> None:
    for table, comments in _TABLES.items():
        op.create_table_comment(table, comments[new], existing_comment=comments[old])
    for table, comments in _DELETED_AT.items():
        op.alter_column(
            table,
            "deleted_at",
            comment=comments[new],
            existing_comment=comments[old],
            existing_type=sa.DateTime(timezone=True),
            existing_nullable=True,
        )
