"""Lists without a value become SQL's null, as in imported leads; leads created by request had JSON's null."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Set them; versions stay, as events do not carry these fields."""
    for column in ("pain_points", "requirements"):
        op.execute(f"UPDATE leads SET {column} = NULL WHERE {column} = 'null'::jsonb")  # noqa: S608 - names of our own


def downgrade() -> None:
    """There is nothing to undo."""
