"""Options of imports, what came of them, and the rows that failed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the options and counts to import jobs, a status for those undone, and a table for failed rows."""
    op.add_column("imports", sa.Column("column_map", postgresql.JSONB(), server_default="{}", nullable=False))
    op.add_column("imports", sa.Column("on_error", sa.Text(), server_default="abort", nullable=False))
    op.add_column("imports", sa.Column("on_duplicate", sa.Text(), server_default="create", nullable=False))
    op.add_column("imports", sa.Column("dry_run", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("imports", sa.Column("skipped_count", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("imports", sa.Column("updated_count", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("imports", sa.Column("undone_at", sa.DateTime(timezone=True)))
    op.drop_constraint("imports_status", "imports")
    op.create_check_constraint(
        "imports_status", "imports", "status IN ('queued', 'completed', 'failed', 'aborted', 'undone')"
    )
    op.create_check_constraint("imports_on_error", "imports", "on_error IN ('abort', 'skip')")
    op.create_check_constraint(
        "imports_on_duplicate", "imports", "on_duplicate IN ('create', 'skip', 'update', 'error')"
    )
    op.create_table(
        "import_failed_rows",
        sa.Column("import_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        comment="The rows of a file that were not imported, each with its errors, as CSV: kept for a week.",
    )
    op.execute("ALTER TABLE import_failed_rows ALTER COLUMN content SET COMPRESSION lz4")


def downgrade() -> None:
    """Undo all of it; what was undone counts as completed again."""
    op.drop_table("import_failed_rows")
    op.drop_constraint("imports_on_duplicate", "imports")
    op.drop_constraint("imports_on_error", "imports")
    op.drop_constraint("imports_status", "imports")
    op.execute("UPDATE imports SET status = 'completed' WHERE status = 'undone'")
    op.create_check_constraint("imports_status", "imports", "status IN ('queued', 'completed', 'failed', 'aborted')")
    for column in (
        "undone_at", "updated_count", "skipped_count", "dry_run", "on_duplicate", "on_error", "column_map",
    ):  # fmt: skip
        op.drop_column("imports", column)
