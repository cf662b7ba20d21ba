"""declarations, and the evidence of each post.

Columns that old processes do not know have a default, so that they go on while this
is done (docs/decisions).
"""

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
