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
            "kept_until",
            "check_at",
            "disconnected_at",
        ):
            batch_op.add_column(
                sa.Column(name, sa.DateTime(timezone=True), nullable=True)
            )
        batch_op.add_column(
            sa.Column(
                "refresh_attempts", sa.Integer(), nullable=False, server_default="0"
            )
        )
        batch_op.add_column(
            sa.Column("remote_id", sa.String(), nullable=False, server_default="")
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

    op.create_table(
        "worker_beat",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("beat_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ahead_ms", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_worker_beat_beat_at", "worker_beat", ["beat_at"])

    op.create_table(
        "letter",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("retailer_id", sa.String(), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failure", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["retailer_id"], ["retailer.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_letter_due", "letter", ["state", "due_at"])
    op.create_index("ix_letter_retailer", "letter", ["retailer_id", "created_at"])

    op.create_table(
        "alarm",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("retailer_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["retailer_id"], ["retailer.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("kind", "subject_id"),
    )
    op.create_index("ix_alarm_retailer_id", "alarm", ["retailer_id"])
