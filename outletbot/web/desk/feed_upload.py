"""Receiving a feed: kept piece by piece as it arrives, never whole in memory.

While a file is under way its import is leased, so that no worker takes half a file; a
file that never arrives whole is forgotten.
"""

import hashlib
from datetime import timedelta
from http import HTTPStatus

from aiohttp import BodyPartReader, web

from offers.errors import InvalidField
from offers.ids import new_id
from offers.imports import FeedImport, add_import, finish_upload, forget_upload
from offers.money import is_currency
from offers.pieces import keep_piece
from offers.sentences import Sentence
from outletbot.db import Database
from outletbot.fetching import shown_name
from outletbot.keys import CLOCK, DATABASE, MERCHANT, RETAILER, SETTINGS

CHUNK = 64 * 1024
PIECE = 256 * 1024
UPLOAD_FOR = timedelta(hours=1)
NONE = Sentence("Choose a file, or paste some rows.")
DRAINED = 4  # times the limit: so much is read, to be able to answer a browser


class TooLarge(InvalidField):
    """The file is larger than this installation takes."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE

    def __init__(self, most: int) -> None:
        problem = Sentence(
            "The file is larger than {most} MB. Send it in several parts.", most=most
        )
        super().__init__("feed", problem)


class Upload:
    """One file on its way into the database, which takes *most* bytes of it."""

    def __init__(self, database: Database, entry: FeedImport, *, most: int) -> None:
        self.entry, self.most = entry, most
        self.size = self.number = 0
        self._database = database
        self._sha256 = hashlib.sha256()

    async def add(self, content: bytes) -> None:
        """Keep a piece; beyond the limit nothing is kept."""
        self.size += len(content)
        if self.size > self.most:
            return
        if not self.number:
            await self._database.transact(add_import, self.entry)
        self._sha256.update(content)
        entry, number = self.entry, self.number
        await self._database.transact(
            keep_piece, entry.retailer_id, entry.id, number, content
        )
        self.number += 1

    async def finish(self, currency: str) -> None:
        """Let the worker have it."""
        self.entry.sha256 = self._sha256.hexdigest()
        self.entry.size, self.entry.currency = self.size, currency
        self.entry.leased_until = None
        await self._database.transact(finish_upload, self.entry)

    async def forget(self) -> None:
        entry = self.entry
        await self._database.transact(forget_upload, entry.retailer_id, entry.id)


async def receive_upload(request: web.Request) -> FeedImport:
    """Keep the file or the rows that a form sends.

    Raises:
        InvalidField: If there is none, or it is ``TooLarge``.
    """
    if not request.content_type.startswith("multipart/"):
        raise InvalidField("feed", NONE)
    upload, arrived = _new_upload(request), False
    try:
        currency = await _read_parts(request, upload)
        _check(upload, currency)
        await upload.finish(currency)
        arrived = True
    except ValueError as error:  # aiohttp's word for a malformed form
        problem = Sentence("The upload was cut off. Send the file again.")
        raise InvalidField("feed", problem) from error
    finally:
        if upload.number and not arrived:
            await upload.forget()
    return upload.entry


def _new_upload(request: web.Request) -> Upload:
    now = request.app[CLOCK]()
    entry = FeedImport(
        id=new_id("feed", now),
        retailer_id=request[RETAILER].id,
        merchant_id=request[MERCHANT].id,
        file_name="",
        sha256="",
        size=0,
        currency=request[RETAILER].currency,
        leased_until=now + UPLOAD_FOR,
        created_at=now,
    )
    most = request.app[SETTINGS].max_upload_mb * 1024 * 1024
    return Upload(request.app[DATABASE], entry, most=most)


async def _read_parts(request: web.Request, upload: Upload) -> str:
    """Take what the form has; return the currency that it says."""
    currency = request[RETAILER].currency
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            continue
        if part.name == "currency":
            said = (await part.read_chunk(CHUNK))[:10]
            currency = said.decode("ascii", "replace").strip().lower()
        elif part.name in {"feed", "pasted"} and not upload.size:
            upload.entry.file_name = shown_name(part.filename or "")
            await _take(part, upload)
    return currency


async def _take(part: BodyPartReader, upload: Upload) -> None:
    buffer = bytearray()
    while chunk := await part.read_chunk(CHUNK):
        buffer += chunk
        if len(buffer) >= PIECE:
            await upload.add(bytes(buffer))
            buffer.clear()
        if upload.size > DRAINED * upload.most:
            break
    if buffer:
        await upload.add(bytes(buffer))


def _check(upload: Upload, currency: str) -> None:
    if upload.size > upload.most:
        raise TooLarge(upload.most // 1024**2)
    if not upload.size:
        empty = upload.entry.file_name != ""
        raise InvalidField("feed", Sentence("The file is empty.") if empty else NONE)
    if not is_currency(currency):
        problem = Sentence("This is no currency that we know.")
        raise InvalidField("currency", problem, currency)
