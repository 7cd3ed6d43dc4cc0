"""Facts: campaigns and their prices, leads, calls; and the inbox.

Revision ID: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table."""
    op.create_table(
        "inbox",
        sa.Column("consumer", sa.Text, primary_key=True),
        sa.Column("event_id", sa.Uuid, primary_key=True),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    )
    op.create_index("inbox_applied_at", "inbox", ["applied_at"])
    op.create_table(
        "campaigns",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("company_id", sa.BigInteger, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("priority", sa.Text, nullable=False),
        sa.Column("budget", sa.Numeric),
        sa.Column("cost_per_call", sa.Numeric),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted", sa.Boolean, nullable=False),
        comment="Each campaign as it is now, the deleted ones too: their leads and calls stay.",
    )
    op.create_index("campaigns_company", "campaigns", ["company_id"])
    op.create_table(
        "campaign_prices",
        sa.Column("campaign_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cost_per_call", sa.Numeric),
        comment="What a call of a campaign cost by each of the campaign's versions, and since when.",
    )
    op.create_table(
        "leads",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("company_id", sa.BigInteger, nullable=False),
        sa.Column("campaign_id", sa.BigInteger, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("priority", sa.SmallInteger, nullable=False),
        sa.Column("source", sa.Text),
        sa.Column("lead_score", sa.SmallInteger),
        sa.Column("interest_level", sa.Text),
        sa.Column("assigned_to", sa.BigInteger),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        comment="Each lead as it is now.",
    )
    op.create_index("leads_company", "leads", ["company_id", "created_at", "campaign_id"])
    op.create_table(
        "calls",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("company_id", sa.BigInteger, nullable=False),
        sa.Column("campaign_id", sa.BigInteger, nullable=False),
        sa.Column("lead_id", sa.BigInteger, nullable=False),
        sa.Column("agent_id", sa.BigInteger),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("duration", sa.Integer, nullable=False, comment="Seconds."),
        sa.Column("successful", sa.Boolean, nullable=False),
        sa.Column("reported_cost", sa.Numeric, comment="What the report of the call said it cost."),
        sa.Column(
            "cost", sa.Numeric, comment="The reported cost, else the campaign's price at the time; null while unknown."
        ),
        comment="Call attempts. They never change, but for the cost, which may become known later.",
    )
    op.create_index("calls_company", "calls", ["company_id", "started_at"])
    op.create_index("calls_campaign", "calls", ["campaign_id", "started_at"])


def downgrade() -> None:
    """Drop every table."""
    for table in ("calls", "leads", "campaign_prices", "campaigns", "inbox"):
        op.drop_table(table)
