"""rules, proposals and stepped markdowns.

Columns that old processes do not know have a default, so that they go on while this
is done (docs/decisions).
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "price_policy",
        sa.Column("retailer_id", sa.String(), nullable=False),
        sa.Column("markdown_percent", sa.Integer(), nullable=False),
        sa.Column("margin_percent", sa.Integer(), nullable=False),
        sa.Column("cost_share_percent", sa.Integer(), nullable=False),
        sa.Column("ending", sa.String(2), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["retailer_id"], ["retailer.id"]),
        sa.PrimaryKeyConstraint("retailer_id"),
    )

    op.create_table(
        "markdown_rule",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("retailer_id", sa.String(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("field", sa.String(20), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("excludes", sa.Boolean(), nullable=False),
        sa.Column("markdown_percent", sa.Integer(), nullable=False),
        sa.Column("margin_percent", sa.Integer(), nullable=False),
        sa.Column("most_units", sa.Integer(), nullable=True),
        sa.Column("channels", sa.String(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["retailer_id"], ["retailer.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("retailer_id", "field", "value"),
    )
    op.create_index("ix_markdown_rule_place", "markdown_rule", ["retailer_id", "place"])

    op.create_table(
        "deal_week",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("retailer_id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("deal_ids", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["retailer_id"], ["retailer.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("retailer_id", "key"),
    )

    op.create_table(
        "markdown_plan",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("retailer_id", sa.String(), nullable=False),
        sa.Column("deal_id", sa.String(), nullable=False),
        sa.Column("floor_amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.String(), nullable=False),
        sa.Column("armed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["retailer_id"], ["retailer.id"]),
        sa.ForeignKeyConstraint(["deal_id"], ["deal.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("deal_id"),
    )
    op.create_index("ix_markdown_plan_retailer_id", "markdown_plan", ["retailer_id"])

    op.create_table(
        "markdown_step",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("retailer_id", sa.String(), nullable=False),
        sa.Column("plan_id", sa.String(), nullable=False),
        sa.Column("after_minutes", sa.Integer(), nullable=False),
        sa.Column("price_amount", sa.BigInteger(), nullable=False),
        sa.Column("sold_below", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sold", sa.Integer(), nullable=True),
        sa.CheckConstraint("price_amount > 0", name="markdown_step_costs_something"),
        sa.ForeignKeyConstraint(["retailer_id"], ["retailer.id"]),
        sa.ForeignKeyConstraint(["plan_id"], ["markdown_plan.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_markdown_step_retailer_id", "markdown_step", ["retailer_id"])
    op.create_index(
        "ix_markdown_step_plan", "markdown_step", ["plan_id", "after_minutes"]
    )
    op.create_index("ix_markdown_step_waiting", "markdown_step", ["state", "plan_id"])
