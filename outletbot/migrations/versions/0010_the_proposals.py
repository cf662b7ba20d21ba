"""rules, proposals and stepped markdowns.

Columns that old processes do not know have a default, so that they go on while this
is done (docs/decisions).
"""

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
