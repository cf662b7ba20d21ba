"""the shops that tell their stock.

Columns that old processes do not know have a default, so that they go on while this
is done (docs/decisions).
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _connections()
    _items()
    _places()
    _waiting()
    with op.batch_alter_table("retailer") as batch_op:
        batch_op.add_column(
            sa.Column("stock_buffer", sa.Integer(), nullable=False, server_default="0")
        )
        batch_op.add_column(
            sa.Column(
                "sealed_old_stock_secret",
                sa.String(),
                nullable=False,
                server_default="",
            )
        )
        batch_op.add_column(
            sa.Column(
                "old_stock_secret_until", sa.DateTime(timezone=True), nullable=True
            )
        )
    with op.batch_alter_table("stock_movement") as batch_op:
        batch_op.add_column(
            sa.Column("place_id", sa.String(), nullable=False, server_default="")
        )
    with op.batch_alter_table("hold") as batch_op:
        batch_op.add_column(
            sa.Column("lost_at", sa.DateTime(timezone=True), nullable=True)
        )
    _letters()


def _connections() -> None:
    op.create_table(
        "shop_connection",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("retailer_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("sealed_secret", sa.String(), nullable=False),
        sa.Column("sealed_old_secret", sa.String(), nullable=False),
        sa.Column("old_secret_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sealed_token", sa.String(), nullable=False),
        sa.Column("notification_url", sa.String(), nullable=False),
        sa.Column("tells_back", sa.Boolean(), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("last_heard_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_message", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["retailer_id"], ["retailer.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "ix_shop_connection_retailer_id", "shop_connection", ["retailer_id"]
    )


def _items() -> None:
    op.create_table(
        "shop_item",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("retailer_id", sa.String(), nullable=False),
        sa.Column("shop_id", sa.String(), nullable=False),
        sa.Column("item_key", sa.String(), nullable=False),
        sa.Column("parent_key", sa.String(), nullable=False),
        sa.Column("sku", sa.String(), nullable=False),
        sa.Column("place_key", sa.String(), nullable=False),
        sa.Column("learned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["retailer_id"], ["retailer.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("shop_id", "item_key"),
    )
    op.create_index("ix_shop_item_sku", "shop_item", ["retailer_id", "sku"])


def _places() -> None:
    op.create_table(
        "stock_place",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("retailer_id", sa.String(), nullable=False),
        sa.Column("shop_id", sa.String(), nullable=False),
        sa.Column("place_key", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("counts", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["retailer_id"], ["retailer.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("retailer_id", "shop_id", "place_key"),
    )
    op.create_table(
        "stock_level",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("retailer_id", sa.String(), nullable=False),
        sa.Column("offer_id", sa.String(), nullable=False),
        sa.Column("place_id", sa.String(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["retailer_id"], ["retailer.id"]),
        sa.ForeignKeyConstraint(["offer_id"], ["offer.id"]),
        sa.ForeignKeyConstraint(["place_id"], ["stock_place.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("offer_id", "place_id"),
    )
    op.create_index("ix_stock_level_place", "stock_level", ["place_id"])


def _waiting() -> None:
    op.create_table(
        "waiting_count",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("retailer_id", sa.String(), nullable=False),
        sa.Column("shop_id", sa.String(), nullable=False),
        sa.Column("item_key", sa.String(), nullable=False),
        sa.Column("sku", sa.String(), nullable=False),
        sa.Column("place_key", sa.String(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=True),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("source_id", sa.String(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("last_heard_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["retailer_id"], ["retailer.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("shop_id", "item_key", "place_key"),
    )
    op.create_index(
        "ix_waiting_count_retailer", "waiting_count", ["retailer_id", "shop_id"]
    )


def _letters() -> None:
    """Whoever paid for what the shop had sold is told why."""
    with op.batch_alter_table("refund") as batch_op:
        batch_op.add_column(
            sa.Column("email", sa.String(), nullable=False, server_default="")
        )
        batch_op.add_column(
            sa.Column("told_at", sa.DateTime(timezone=True), nullable=True)
        )
        untold = sa.text("email <> '' AND told_at IS NULL")
        batch_op.create_index(
            "ix_refund_untold", ["id"], postgresql_where=untold, sqlite_where=untold
        )
