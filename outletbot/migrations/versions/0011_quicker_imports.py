"""quicker imports: what made each new offer take longer, and nobody needed.

That an offer's retailer is there was looked up for each row. The price log had two
indexes; ordered by offer and time it needs none beside itself.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

ORDER = ["offer_id", "applied_at", "id"]
FOREIGN_KEY = """, \n\tFOREIGN KEY(retailer_id) REFERENCES retailer (id)"""
REFUSED = "BEGIN SELECT RAISE(ABORT, 'evidence is only ever added to'); END"


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _forget_foreign_key()
        _make_price_log_anew()
    else:
        op.drop_constraint("offer_retailer_id_fkey", "offer")
        op.drop_index("ix_price_point_offer", "price_point")
        op.drop_constraint("price_point_pkey", "price_point")
        op.create_primary_key("price_point_pkey", "price_point", ORDER)


def _forget_foreign_key() -> None:
    """Change what SQLite knows of the table, which has no effect on what is in it.

    https://www.sqlite.org/lang_altertable.html, "Making Other Kinds Of Table Schema
    Changes", describes this way: making it anew would take its deals along.
    """
    bind = op.get_bind()
    version = bind.exec_driver_sql("PRAGMA schema_version").scalar_one()
    op.execute("PRAGMA writable_schema = ON")
    changed = bind.exec_driver_sql(
        "UPDATE sqlite_schema SET sql = replace(sql, ?, '') "
        "WHERE type = 'table' AND name = 'offer' AND instr(sql, ?)",
        (FOREIGN_KEY, FOREIGN_KEY),
    )
    assert changed.rowcount == 1
    op.execute(f"PRAGMA schema_version = {version + 1}")
    op.execute("PRAGMA writable_schema = OFF")


def _make_price_log_anew() -> None:
    op.create_table(
        "price_point_new",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("retailer_id", sa.String(), nullable=False),
        sa.Column("offer_id", sa.String(), nullable=False),
        sa.Column("price_amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False, server_default="feed"),
        sa.Column("tax", sa.String(), nullable=False, server_default="unknown"),
        sa.Column("country", sa.String(2), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint(*ORDER),
        sqlite_with_rowid=False,
    )
    names = (
        "id, retailer_id, offer_id, price_amount, currency, applied_at, source, kind, "
        "tax, country"
    )
    op.execute(
        f"INSERT INTO price_point_new ({names}) SELECT {names} FROM price_point"  # noqa: S608
    )
    op.drop_table("price_point")
    op.rename_table("price_point_new", "price_point")
    for event in ("update", "delete"):
        op.execute(
            f"CREATE TRIGGER price_point_no_{event} BEFORE {event.upper()} "
            f"ON price_point {REFUSED}"
        )
