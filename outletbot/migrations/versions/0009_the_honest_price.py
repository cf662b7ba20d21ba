"""declarations, and the evidence of each post.

Columns that old processes do not know have a default, so that they go on while this
is done (docs/decisions). What is evidence is only ever added to, and the database sees
to that: triggers refuse an UPDATE and a DELETE. Adding a million rows costs no more
than before, for there is none on INSERT. A later migration that makes one of these
tables anew on SQLite (batch mode does) has to make its triggers anew too.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

KEPT = ("price_point", "price_declaration", "declared_price", "post_evidence")


def upgrade() -> None:
    with op.batch_alter_table("retailer") as batch_op:
        batch_op.add_column(
            sa.Column("price_rule", sa.String(), nullable=False, server_default="")
        )
        batch_op.add_column(
            sa.Column("usual_days", sa.Integer(), nullable=False, server_default="28")
        )
        batch_op.add_column(sa.Column("tax_points", sa.Integer(), nullable=True))

    with op.batch_alter_table("price_point") as batch_op:
        batch_op.add_column(
            sa.Column("kind", sa.String(20), nullable=False, server_default="feed")
        )
        batch_op.add_column(
            sa.Column("tax", sa.String(), nullable=False, server_default="unknown")
        )
        batch_op.add_column(
            sa.Column("country", sa.String(2), nullable=False, server_default="")
        )
    op.execute("UPDATE price_point SET kind = 'deal' WHERE source LIKE 'deal%'")

    with op.batch_alter_table("deal") as batch_op:
        batch_op.add_column(
            sa.Column(
                "prior_rule", sa.String(20), nullable=False, server_default="lowest"
            )
        )
        batch_op.add_column(
            sa.Column("under_cost_by", sa.String(), nullable=False, server_default="")
        )
        batch_op.add_column(
            sa.Column("under_cost_at", sa.DateTime(timezone=True), nullable=True)
        )

    op.create_table(
        "sale_season",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("retailer_id", sa.String(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("part", sa.String(20), nullable=False),
        sa.Column("begins_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("set_by", sa.String(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["retailer_id"], ["retailer.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("retailer_id", "year", "part"),
    )

    op.create_table(
        "price_declaration",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("retailer_id", sa.String(), nullable=False),
        sa.Column("scope", sa.String(20), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("to_on", sa.Date(), nullable=False),
        sa.Column("basis", sa.String(), nullable=False),
        sa.Column("declared_by", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("declared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revokes_id", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["retailer_id"], ["retailer.id"]),
        sa.ForeignKeyConstraint(["revokes_id"], ["price_declaration.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("revokes_id"),
    )
    op.create_index(
        "ix_price_declaration_retailer",
        "price_declaration",
        ["retailer_id", "declared_at"],
    )
    op.create_table(
        "declared_price",
        sa.Column("declaration_id", sa.String(), nullable=False),
        sa.Column("offer_id", sa.String(), nullable=False),
        sa.Column("retailer_id", sa.String(), nullable=False),
        sa.Column("price_amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("tax", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["declaration_id"], ["price_declaration.id"]),
        sa.ForeignKeyConstraint(["offer_id"], ["offer.id"]),
        sa.ForeignKeyConstraint(["retailer_id"], ["retailer.id"]),
        sa.PrimaryKeyConstraint("declaration_id", "offer_id"),
    )
    op.create_index(
        "ix_declared_price_offer", "declared_price", ["retailer_id", "offer_id"]
    )

    op.create_table(
        "post_evidence",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("retailer_id", sa.String(), nullable=False),
        sa.Column("deal_id", sa.String(), nullable=False),
        sa.Column("post_id", sa.String(), nullable=False),
        sa.Column("offer_id", sa.String(), nullable=False),
        sa.Column("sku", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("price_amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("prior_amount", sa.BigInteger(), nullable=True),
        sa.Column("percent", sa.Integer(), nullable=True),
        sa.Column("rule", sa.String(20), nullable=False),
        sa.Column("ground", sa.String(20), nullable=False),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("basis", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["retailer_id"], ["retailer.id"]),
        sa.ForeignKeyConstraint(["deal_id"], ["deal.id"]),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"]),
        sa.ForeignKeyConstraint(["offer_id"], ["offer.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "ix_post_evidence_noted", "post_evidence", ["retailer_id", "noted_at"]
    )
    op.create_index("ix_post_evidence_deal", "post_evidence", ["deal_id", "noted_at"])

    _only_add()


def _only_add() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION only_added_to() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'evidence is only ever added to'; END $$"
        )
    for table in KEPT:
        for event in ("update", "delete"):
            name = f"{table}_no_{event}"
            if op.get_bind().dialect.name == "postgresql":
                body = "FOR EACH ROW EXECUTE FUNCTION only_added_to()"
            else:
                body = (
                    "BEGIN SELECT RAISE(ABORT, 'evidence is only ever added to'); END"
                )
            op.execute(
                f"CREATE TRIGGER {name} BEFORE {event.upper()} ON {table} {body}"
            )
