"""the accounts.

Columns that old processes do not know have a default, so that they go on while this
is done (docs/decisions).
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "post_template",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("retailer_id", sa.String(), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("network", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["retailer_id"], ["retailer.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("retailer_id", "language", "kind", "network"),
    )
    op.create_index("ix_post_template_retailer_id", "post_template", ["retailer_id"])

    with op.batch_alter_table("retailer") as batch_op:
        for name in ("posts_paused", "approval"):
            batch_op.add_column(
                sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false())
            )
        batch_op.add_column(
            sa.Column("alarm_email", sa.String(), nullable=False, server_default="")
        )

    with op.batch_alter_table("channel_account") as batch_op:
        for name in (
            "expires_at",
            "refresh_expires_at",
            "refresh_at",
            "rest_until",
            "measured_at",
        ):
            batch_op.add_column(
                sa.Column(name, sa.DateTime(timezone=True), nullable=True)
            )
        batch_op.add_column(
            sa.Column(
                "refresh_attempts", sa.Integer(), nullable=False, server_default="0"
            )
        )
        batch_op.add_column(sa.Column("budget_cents", sa.Integer(), nullable=True))
        batch_op.add_column(
            sa.Column("show", sa.String(20), nullable=False, server_default="picture")
        )
        batch_op.add_column(
            sa.Column("follow_ups", sa.String(), nullable=False, server_default="")
        )
        batch_op.create_index("ix_channel_account_refresh_at", ["refresh_at"])

    # An account posts several times about a deal now: once of each kind.
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("post_deal_id_account_id_key", "post")
    else:
        names = {"uq": "uq_%(table_name)s_%(column_0_N_name)s"}
        with op.batch_alter_table("post", naming_convention=names) as batch_op:
            batch_op.drop_constraint("uq_post_deal_id_account_id", type_="unique")

    with op.batch_alter_table("post") as batch_op:
        batch_op.add_column(
            sa.Column(
                "kind", sa.String(20), nullable=False, server_default="announcement"
            )
        )
        batch_op.add_column(sa.Column("answers_id", sa.String(), nullable=True))
        for name in ("planned_by", "approved_by"):
            batch_op.add_column(
                sa.Column(name, sa.String(), nullable=False, server_default="")
            )
        batch_op.add_column(
            sa.Column(
                "cost_micros", sa.BigInteger(), nullable=False, server_default="0"
            )
        )
        for name in ("alarmed_at", "begun_at", "measured_at"):
            batch_op.add_column(
                sa.Column(name, sa.DateTime(timezone=True), nullable=True)
            )
        for name in ("likes", "reposts", "replies", "views"):
            batch_op.add_column(sa.Column(name, sa.Integer(), nullable=True))
        batch_op.create_unique_constraint(
            "post_deal_id_account_id_kind_key", ["deal_id", "account_id", "kind"]
        )
        batch_op.create_index("ix_post_begun", ["account_id", "begun_at"])
