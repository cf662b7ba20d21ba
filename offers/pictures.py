"""Pictures: images of goods, re-encoded to be small before they are kept."""

import hashlib
from datetime import datetime

from sqlmodel import Field, Session, SQLModel, select

from offers.columns import Moment
from offers.errors import Missing
from offers.ids import new_id


class Picture(SQLModel, table=True):
    """*content* is a JPEG of *width* by *height* pixels, the same bytes kept once."""

    id: str = Field(primary_key=True)
    retailer_id: str = Field(foreign_key="retailer.id", index=True)
    sha256: str = Field(index=True)
    width: int
    height: int
    content: bytes = Field(repr=False)
    created_at: datetime = Field(sa_type=Moment)


def keep_picture(
    session: Session,
    retailer_id: str,
    content: bytes,
    *,
    size: tuple[int, int],
    now: datetime,
) -> Picture:
    """Keep *content*, or return the same picture that this retailer already has."""
    sha256 = hashlib.sha256(content).hexdigest()
    same = select(Picture).where(
        Picture.retailer_id == retailer_id, Picture.sha256 == sha256
    )
    kept = session.exec(same).first()
    if kept is not None:
        return kept
    picture = Picture(
        id=new_id("picture", now),
        retailer_id=retailer_id,
        sha256=sha256,
        width=size[0],
        height=size[1],
        content=content,
        created_at=now,
    )
    session.add(picture)
    session.flush()
    return picture


def get_picture(session: Session, picture_id: str) -> Picture:
    """Return a picture, whoever's it is: they are for everybody to see.

    Raises:
        Missing: If there is none.
    """
    picture = session.get(Picture, picture_id)
    if picture is None:
        raise Missing(picture_id, "picture")
    return picture


def find_picture_size(
    session: Session, retailer_id: str, picture_id: str
) -> tuple[int, int] | None:
    """Return the width and height of a picture, without reading its bytes."""
    statement = select(Picture.width, Picture.height).where(
        Picture.retailer_id == retailer_id, Picture.id == picture_id
    )
    return session.exec(statement).one_or_none()
