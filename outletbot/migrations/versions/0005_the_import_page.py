"""what the import page keeps.

Columns that old processes do not know have a default, so that they go on while this
is done (docs/decisions).
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("feed_import") as batch_op:
        for name in ("missing", "attempts"):
            batch_op.add_column(
                sa.Column(name, sa.Integer(), nullable=False, server_default="0")
            )
        for name in ("complete", "whole"):
            batch_op.add_column(
                sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false())
            )
        for name, default in (
            ("fingerprint", ""),
            ("repeats", ""),
            ("head", ""),
            ("undone", "{}"),
        ):
            batch_op.add_column(
                sa.Column(name, sa.String(), nullable=False, server_default=default)
            )
        for name in ("confirmed_by", "undone_by"):
            batch_op.add_column(sa.Column(name, sa.String(), nullable=True))
            batch_op.create_foreign_key(
                f"feed_import_{name}_fkey", "merchant", [name], ["id"]
            )
        batch_op.add_column(
            sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True)
        )

    op.add_column(
        "bad_row", sa.Column("sku", sa.String(), nullable=False, server_default="")
    )

    op.create_table(
        "feed_memory",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("retailer_id", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("choices", sa.String(), nullable=False),
        sa.Column("import_id", sa.String(), nullable=False),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("remembered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("forgotten_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["retailer_id"], ["retailer.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("retailer_id", "fingerprint", "version"),
    )
    op.create_table(
        "mended_row",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("retailer_id", sa.String(), nullable=False),
        sa.Column("import_id", sa.String(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("sku", sa.String(), nullable=False),
        sa.Column("cells", sa.String(), nullable=False),
        sa.Column("left_out", sa.Boolean(), nullable=False),
        sa.Column("mended_by", sa.String(), nullable=True),
        sa.Column("mended_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["feed_import.id"]),
        sa.ForeignKeyConstraint(["mended_by"], ["merchant.id"]),
        sa.ForeignKeyConstraint(["retailer_id"], ["retailer.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("import_id", "line"),
    )
    op.create_index("ix_mended_row_retailer_id", "mended_row", ["retailer_id"])
