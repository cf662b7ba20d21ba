"""Pieces: a feed's file, kept in parts as it arrives, until it is imported."""

from collections.abc import Iterator

from sqlmodel import Field, Session, SQLModel, col, delete


class FeedPiece(SQLModel, table=True):
    __tablename__ = "feed_piece"

    import_id: str = Field(primary_key=True, foreign_key="feed_import.id")
    number: int = Field(primary_key=True)
    retailer_id: str = Field(foreign_key="retailer.id")
    content: bytes = Field(repr=False)


def keep_piece(
    session: Session, retailer_id: str, import_id: str, number: int, content: bytes
) -> None:
    session.add(
        FeedPiece(
            import_id=import_id,
            number=number,
            retailer_id=retailer_id,
            content=content,
        )
    )


def pieces(session: Session, import_id: str) -> Iterator[bytes]:
    """Return the file of an import, piece by piece."""
    number = 0
    while piece := session.get(FeedPiece, (import_id, number)):
        yield piece.content
        session.expunge(piece)
        number += 1


def forget_pieces(session: Session, import_id: str) -> None:
    """The file is no longer needed."""
    session.exec(delete(FeedPiece).where(col(FeedPiece.import_id) == import_id))
