"""The one way to a single row: by its id and by whose it is."""

from typing import TypeVar

from sqlmodel import Session, SQLModel

from offers.errors import Missing

Row = TypeVar("Row", bound=SQLModel)


def find_own(
    session: Session, model: type[Row], retailer_id: str, key: str
) -> Row | None:
    """Return a row of this retailer; another retailer's does not exist."""
    row = session.get(model, key)
    if row is None or getattr(row, "retailer_id", None) != retailer_id:
        return None
    return row


def get_own(session: Session, model: type[Row], retailer_id: str, key: str) -> Row:
    """Return a row of this retailer.

    Raises:
        Missing: If there is none, or it is another retailer's.
    """
    row = find_own(session, model, retailer_id, key)
    if row is None:
        raise Missing(key, model.__name__.lower())
    return row
