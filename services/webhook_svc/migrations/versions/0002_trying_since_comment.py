"""A plain comment on ``deliveries.trying_since``."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_BEFORE = "Start of its first attempt, since it was last sent anew."
_AFTER = "Start of the first attempt since the last redelivery."


def upgrade() -> None:
    """Change the comment."""
    _comment(_AFTER, existing=_BEFORE)


def downgrade() -> None:
    """Restore the comment."""
    _comment(_BEFORE, existing=_AFTER)


def _comment(comment: str, *, existing: str) -> None:
    op.alter_column(
        "deliveries",
        "trying_since",
        comment=comment,
        existing_comment=existing,
        existing_type=sa.DateTime(timezone=True),
    )
