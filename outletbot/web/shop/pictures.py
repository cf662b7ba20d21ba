"""Pictures of goods: kept in memory while asked for, and in every cache for ever."""

from sqlmodel import Session

from offers.errors import Missing
from offers.pictures import Picture
from outletbot.db import Database
from outletbot.web.shop.recent import Recent

KEEP = 200  # some 100 kB each


class Pictures:
    """A picture's address names its content, so what was read once stays true."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: Recent[str, bytes] = Recent(KEEP)

    async def get(self, picture_id: str) -> bytes:
        """Return a JPEG.

        Raises:
            Missing: If there is none.
        """
        kept = self._kept.find(picture_id)
        if kept is not None:
            return kept
        content = await self._database.read(_read_picture, picture_id)
        return self._kept.keep(picture_id, content)


def _read_picture(session: Session, picture_id: str) -> bytes:
    picture = session.get(Picture, picture_id)
    if picture is None:
        raise Missing(picture_id, "picture")
    return picture.content
