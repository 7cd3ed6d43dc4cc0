"""Comments of tables and columns in plain words."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_TABLES = {
    "ledgers": (
        "Tells whether a company's facts have changed.",
        "Marks by which a change of a company's facts is noticed.",
    ),
    "campaigns": (
        "Each campaign as it is now, the deleted ones too: their leads and calls stay.",
        "Each campaign in its current state, deleted ones too: their leads and calls stay in reports.",
    ),
    "campaign_terms": (
        "What held for calls of a campaign by each of its versions, and since when.",
        "Price and calling hours that each version of a campaign sets for its calls, and since when.",
    ),
    "leads": (
        "Each lead as it is now.",
        "Each lead in its current state.",
    ),
    "lead_assignments": (
        "When leads were given to an agent, or to none.",
        "When leads were assigned to an agent, or lost their agent.",
    ),
    "lead_conversions": (
        "What leads were converted for, as it was told last.",
        "The latest conversion of each lead.",
    ),
    "lead_contacts": (
        "How often leads were called, and when first.",
        "Number of calls to each lead, and the start of the first.",
    ),
    "campaign_words": (
        "In how many calls of a campaign a word occurs.",
        "Number of a campaign's calls in which a word occurs.",
    ),
    "members": (
        "The people of a company, the deleted ones too, so that late news of them are known as such.",
        "The members of a company, deleted ones too, so that late events of deleted members are recognized.",
    ),
}
"""Comments of tables: before and after."""
_COLUMNS: dict[tuple[str, str], tuple[sa.types.TypeEngine[Any], bool, str, str]] = {
    ("ledgers", "mark"): (
        sa.Uuid(),
        False,
        "Another one after every change of the company's facts.",
        "Replaced by every change of the company's facts.",
    ),
    ("calls", "reported_cost"): (
        sa.Numeric(),
        True,
        "What the report of the call said it cost.",
        "Cost that was reported with the call.",
    ),
    ("calls", "reported"): (
        sa.Boolean(),
        False,
        "Whether there is a quality report; its scores in thousandths.",
        "Whether there is a quality report; scores are in thousandths.",
    ),
    ("calls", "score"): (
        sa.Integer(),
        True,
        "The call's own: the mean of the first four of these that are there.",
        "Score of the call: the mean of the first four scores, as far as reported.",
    ),
    ("calls", "issues"): (
        sa.ARRAY(sa.Text()),
        False,
        "Each kind once.",
        "Kinds of issues, each once.",
    ),
    ("campaign_terms", "calling_hours_end"): (
        sa.Time(),
        False,
        "Before the start, it is on the next day.",
        "An end before the start is on the next day.",
    ),
    ("campaign_terms", "time_zone"): (
        sa.Text(),
        True,
        "Null when the database does not know it.",
        "Null if PostgreSQL does not know the time zone.",
    ),
}
"""Columns with type, whether null is allowed, and comments before and after."""


def upgrade() -> None:
    """Set the new comments."""
    for table, (before, after) in _TABLES.items():
        op.create_table_comment(table, after, existing_comment=before)
    for (table, column), (sql_type, nullable, before, after) in _COLUMNS.items():
        op.alter_column(
            table,
            column,
            comment=after,
            existing_comment=before,
            existing_type=sql_type,
            existing_nullable=nullable,
        )


def downgrade() -> None:
    """Set the earlier comments."""
    for table, (before, after) in _TABLES.items():
        op.create_table_comment(table, before, existing_comment=after)
    for (table, column), (sql_type, nullable, before, after) in _COLUMNS.items():
        op.alter_column(
            table,
            column,
            comment=before,
            existing_comment=after,
            existing_type=sql_type,
            existing_nullable=nullable,
        )
