"""the shops that tell their stock.

Columns that old processes do not know have a default, so that they go on while this
is done (docs/decisions).
"""

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
