"""Pictures of goods: kept in memory while asked for, and in every cache for ever."""

from offers.pictures import get_picture
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
        picture = await self._database.read(get_picture, picture_id)
        return self._kept.keep(picture_id, picture.content)
