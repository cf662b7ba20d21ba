"""the feeds.

Columns that old processes do not know have a default, so that they go on while this
is done (docs/decisions).
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("offer") as batch_op:
        batch_op.add_column(sa.Column("mpn", sa.String(), nullable=True))
        for name in ("tags", "image_urls"):
            batch_op.add_column(
                sa.Column(name, sa.String(), nullable=False, server_default="[]")
            )
        for name in ("sale_from", "sale_to"):
            batch_op.add_column(sa.Column(name, sa.Date(), nullable=True))
        batch_op.add_column(
            sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=True)
        )
    op.execute("UPDATE offer SET first_seen_at = imported_at")
