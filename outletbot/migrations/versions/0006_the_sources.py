"""feeds by address, by folder and by token.

Columns that old processes do not know have a default, so that they go on while this
is done (docs/decisions).
"""

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
