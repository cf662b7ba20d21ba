"""what our sales tell the shops.

Columns that old processes do not know have a default, so that they go on while this
is done (docs/decisions).
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "echo",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("retailer_id", sa.String(), nullable=False),
        sa.Column("shop_id", sa.String(), nullable=False),
        sa.Column("offer_id", sa.String(), nullable=False),
        sa.Column("sku", sa.String(), nullable=False),
        sa.Column("item_key", sa.String(), nullable=False),
        sa.Column("place_key", sa.String(), nullable=False),
        sa.Column("change", sa.Integer(), nullable=False),
        sa.Column("cause", sa.String(20), nullable=False),
        sa.Column("source_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("lead_id", sa.String(), nullable=False),
        sa.Column("due_at", moment, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("refusals", sa.Integer(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("sent_at", moment, nullable=True),
        sa.Column("told_at", moment, nullable=True),
        sa.Column("applied_at", moment, nullable=True),
        sa.Column("level_after", sa.Integer(), nullable=True),
        sa.Column("taken_off_at", moment, nullable=True),
        sa.Column("taken_off_from", sa.Integer(), nullable=True),
        sa.Column("failure", sa.String(), nullable=False),
        sa.Column("failing_since", moment, nullable=True),
        sa.ForeignKeyConstraint(["retailer_id"], ["retailer.id"]),
        sa.ForeignKeyConstraint(["offer_id"], ["offer.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("shop_id", "source_id", "place_key"),
    )
    op.create_index("ix_echo_due", "echo", ["state", "due_at"])
    op.create_index("ix_echo_offer", "echo", ["retailer_id", "offer_id", "shop_id"])
    op.create_index("ix_echo_lead", "echo", ["lead_id"])
    op.create_index("ix_echo_taken_off", "echo", ["taken_off_at"])
