"""the rush.

Columns that old processes do not know have a default, so that they go on while this
is done (docs/decisions).
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account_balance",
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("listed_amount", sa.BigInteger(), nullable=False),
        sa.Column("differs_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "currency"),
    )
    op.create_table(
        "reading",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("position", sa.String(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("trouble", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account_id", "subject"),
    )
    with op.batch_alter_table("reading", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_reading_due_at"), ["due_at"], unique=False)

    op.create_table(
        "payment_account",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("retailer_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("provider_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("sealed_key", sa.String(), nullable=False),
        sa.Column("sealed_webhook_secret", sa.String(), nullable=False),
        sa.Column("sealed_previous_secret", sa.String(), nullable=False),
        sa.Column("previous_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("fee_bps", sa.Integer(), nullable=False),
        sa.Column("writes_per_second", sa.Integer(), nullable=False),
        sa.Column("connected_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("proved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("trouble", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["retailer_id"],
            ["retailer.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("payment_account", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_payment_account_retailer_id"), ["retailer_id"], unique=False
        )

    op.create_table(
        "payment_pace",
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("opening_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ending_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.Column("slowed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("account_id"),
    )

    op.create_table(
        "rehearsal",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("retailer_id", sa.String(), nullable=False),
        sa.Column("deal_id", sa.String(), nullable=False),
        sa.Column("shoppers", sa.Integer(), nullable=False),
        sa.Column("faults", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.Column("failure", sa.String(), nullable=False),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["deal_id"],
            ["deal.id"],
        ),
        sa.ForeignKeyConstraint(
            ["retailer_id"],
            ["retailer.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("rehearsal", schema=None) as batch_op:
        batch_op.create_index(
            "ix_rehearsal_deal", ["retailer_id", "deal_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_rehearsal_due_at"), ["due_at"], unique=False
        )

    op.create_table(
        "dispute",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("retailer_id", sa.String(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("provider_id", sa.String(), nullable=False),
        sa.Column("payment_id", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn_amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("due_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["orders.id"],
        ),
        sa.ForeignKeyConstraint(
            ["retailer_id"],
            ["retailer.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account_id", "provider_id"),
    )
    with op.batch_alter_table("dispute", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_dispute_order_id"), ["order_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_dispute_payment_id"), ["payment_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_dispute_retailer_id"), ["retailer_id"], unique=False
        )

    with op.batch_alter_table("arrival", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("account_id", sa.String(), nullable=False, server_default="")
        )

    with op.batch_alter_table("deal", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("reserve_until", sa.DateTime(timezone=True), nullable=True)
        )
        batch_op.add_column(
            sa.Column(
                "pay_online", sa.Boolean(), nullable=False, server_default=sa.true()
            )
        )
        batch_op.add_column(
            sa.Column("payable", sa.Boolean(), nullable=False, server_default=sa.true())
        )

    with op.batch_alter_table("hold", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("account_id", sa.String(), nullable=False, server_default="")
        )
        batch_op.add_column(
            sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True)
        )
        batch_op.add_column(
            sa.Column("address", sa.String(), nullable=False, server_default="")
        )
        batch_op.add_column(sa.Column("pickup_code", sa.String(), nullable=True))

    # A claim pays for every index: fewer, and each with only the rows it is asked for.
    for name in ("checkout_id", "post_id", "retailer_id", "shopper", "state"):
        op.drop_index(f"ix_hold_{name}", table_name="hold")
    for name, columns, where, unique in (
        ("ix_hold_address", ["address", "deal_id"], "address <> ''", False),
        ("ix_hold_due", ["expires_at"], "ended_at IS NULL", False),
        ("ix_hold_line", ["id"], "checkout_id IS NULL AND ended_at IS NULL", False),
        ("ix_hold_checkout", ["checkout_id"], "checkout_id IS NOT NULL", False),
        (
            "ix_hold_pickup",
            ["retailer_id", "pickup_code"],
            "pickup_code IS NOT NULL",
            True,
        ),
    ):
        rows = sa.text(where)
        op.create_index(
            name,
            "hold",
            columns,
            unique=unique,
            postgresql_where=rows,
            sqlite_where=rows,
        )
    op.create_index("ix_hold_shopper", "hold", ["shopper", "deal_id"])

    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("account_id", sa.String(), nullable=False, server_default="")
        )
        batch_op.add_column(
            sa.Column("way", sa.String(20), nullable=False, server_default="online")
        )
        batch_op.add_column(
            sa.Column("redeemed_by", sa.String(), nullable=False, server_default="")
        )

    # Several refunds of one payment are possible now.
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("refund_payment_id_key", "refund")
    else:
        names = {"uq": "uq_%(table_name)s_%(column_0_name)s"}
        with op.batch_alter_table("refund", naming_convention=names) as batch_op:
            batch_op.drop_constraint("uq_refund_payment_id", type_="unique")

    with op.batch_alter_table("refund", schema=None) as batch_op:
        batch_op.add_column(sa.Column("key", sa.String(), nullable=True))
        batch_op.add_column(
            sa.Column("account_id", sa.String(), nullable=False, server_default="")
        )
        batch_op.add_column(sa.Column("order_id", sa.String(), nullable=True))
        batch_op.add_column(
            sa.Column("asked_by", sa.String(), nullable=False, server_default="")
        )
        batch_op.add_column(
            sa.Column("units", sa.Integer(), nullable=False, server_default="0")
        )
        batch_op.add_column(
            sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True)
        )
        batch_op.add_column(
            sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True)
        )
        batch_op.add_column(
            sa.Column("note", sa.String(), nullable=False, server_default="")
        )
        batch_op.add_column(
            sa.Column("refusals", sa.Integer(), nullable=False, server_default="0")
        )
        batch_op.add_column(
            sa.Column("stage", sa.String(20), nullable=False, server_default="")
        )
        batch_op.add_column(
            sa.Column("failure_code", sa.String(), nullable=False, server_default="")
        )
        batch_op.add_column(
            sa.Column("cleared_at", sa.DateTime(timezone=True), nullable=True)
        )
        batch_op.create_index(
            batch_op.f("ix_refund_order_id"), ["order_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_refund_payment_id"), ["payment_id"], unique=False
        )
        batch_op.create_unique_constraint("refund_key_key", ["key"])
        batch_op.create_foreign_key(
            "refund_order_id_fkey", "orders", ["order_id"], ["id"]
        )

    op.create_table(
        "ledger_entry",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("retailer_id", sa.String(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("transaction_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("source_id", sa.String(), nullable=False),
        sa.Column("payment_id", sa.String(), nullable=False),
        sa.Column("hold_id", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=True),
        sa.Column("refund_id", sa.String(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("fee", sa.BigInteger(), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("source_amount", sa.BigInteger(), nullable=False),
        sa.Column("source_currency", sa.String(3), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["orders.id"],
        ),
        sa.ForeignKeyConstraint(
            ["refund_id"],
            ["refund.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account_id", "transaction_id"),
    )
    with op.batch_alter_table("ledger_entry", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_ledger_entry_order_id"), ["order_id"], unique=False
        )
        batch_op.create_index("ix_ledger_entry_payment", ["payment_id"], unique=False)
        batch_op.create_index(
            "ix_ledger_entry_retailer", ["retailer_id", "happened_at"], unique=False
        )

