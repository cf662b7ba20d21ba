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

NAMED = {"fk": "%(table_name)s_%(column_0_name)s_fkey"}
"""What PostgreSQL calls a foreign key; on SQLite it has no name."""


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
        batch_op.add_column(
            sa.Column("source", sa.String(), nullable=False, server_default="")
        )
    op.execute("UPDATE offer SET first_seen_at = imported_at")
    op.create_table(
        "offer_before",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("retailer_id", sa.String(), nullable=False),
        sa.Column("import_id", sa.String(), nullable=False),
        sa.Column("offer_id", sa.String(), nullable=False),
        sa.Column("before", sa.String(), nullable=False),
        sa.Column("after", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["offer_id"], ["offer.id"]),
        sa.ForeignKeyConstraint(["retailer_id"], ["retailer.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_offer_before_offer_id", "offer_before", ["offer_id"])
    op.create_index(
        "ix_offer_before_import", "offer_before", ["retailer_id", "import_id", "offer_id"]
    )
    # Nothing is found by its title's beginning; offers are known by their id alone.
    op.drop_index("ix_offer_title", "offer")
    op.drop_index("ix_price_point_offer", "price_point")
    op.create_index("ix_price_point_offer", "price_point", ["offer_id", "applied_at"])
    # The log outlives its offer; looking for it would take longer than the log itself.
    with op.batch_alter_table("price_point", naming_convention=NAMED) as batch_op:
        for column in ("offer_id", "retailer_id"):
            batch_op.drop_constraint(f"price_point_{column}_fkey", type_="foreignkey")
