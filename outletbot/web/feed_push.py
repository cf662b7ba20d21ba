"""Where a retailer's own program brings feeds, with a token.

    curl -T stock.csv -H "Authorization: Bearer obf_…" https://…/feeds/<retailer>

The body is the file, of any kind that can be uploaded. The answer says which import it
became and where that can be followed; the same file once more is the same import. What
is wrong is told as JSON: what, in which field, and what to do.
"""

import asyncio
import hashlib
from http import HTTPStatus
from tempfile import TemporaryFile
from typing import BinaryIO

import structlog
from aiohttp import StreamReader, web
from sqlmodel import Session

from offers.bringing import find_brought, refuse_flood
from offers.imports import FeedImport, ImportState
from offers.merchants import check_attempts, note_attempt
from offers.money import is_currency
from offers.retailers import find_retailer_by_slug
from offers.scope import find_own
from offers.sentences import Sentence, load_sentence
from offers.source_tokens import find_by_token
from offers.sources import FeedSource, Halt, SourceImport
from outletbot.fetching import Brought, shown_name
from outletbot.intake import take_in
from outletbot.keys import CLOCK, DATABASE, HINTS, LANGUAGE, SETTINGS
from outletbot.printing import say
from outletbot.web.guard import address_of, machine

CHUNK = 64 * 1024
MEGABYTE = 1024 * 1024
DRAINED = 4  # times the limit: so much is read, to be able to answer

routes = web.RouteTableDef()
log = structlog.get_logger(__name__)


class Told(Exception):
    """What a program is told in place of what it asked for."""

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        message: Sentence,
        remedy: Sentence,
        *,
        field: str = "",
    ) -> None:
        super().__init__(code)
        self.status, self.code, self.field = status, code, field
        self.message, self.remedy = message, remedy


@routes.put("/feeds/{retailer}")
@machine
async def receive_feed(request: web.Request) -> web.Response:
    """Keep a file; the worker looks at it next."""
    try:
        source = await _recognise(request)
        with TemporaryFile() as stream:
            brought = await _read(request, stream)
            source = await _settle(request, source, brought)
            database, now = request.app[DATABASE], request.app[CLOCK]()
            entry, new = await asyncio.to_thread(
                take_in, database, source, stream, brought, now=now
            )
    except Told as refusal:
        return _answer(request, refusal)
    request.app[HINTS].tell("imports")
    log.info("feed_brought", source=source.id, feed_import=entry.id, new=new)
    told = {**_describe(request, entry, source), "new": new}
    return web.json_response(told, status=HTTPStatus.ACCEPTED)


@routes.get(r"/feeds/{retailer}/{import_id:feed_[0-9a-z]+}")
@machine
async def tell_feed(request: web.Request) -> web.Response:
    """Say how far a file is that this token brought."""
    try:
        source = await _recognise(request)
        import_id = request.match_info["import_id"]
        entry = await request.app[DATABASE].read(_find, source, import_id)
    except Told as refusal:
        return _answer(request, refusal)
    return web.json_response(_describe(request, entry, source))


async def _recognise(request: web.Request) -> FeedSource:
    """Return the source whose token this is.

    Raises:
        TooManyAttempts: If this address has named many wrong ones.
        Told: If it is none of this retailer's.
    """
    database, now = request.app[DATABASE], request.app[CLOCK]()
    subject = f"feeds {address_of(request)}"
    await database.read(check_attempts, subject, now=now)
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    slug = request.match_info["retailer"]
    source = await database.read(_find_source, slug, token.strip())
    if kind.lower() == "bearer" and source is not None:
        return source
    if token:
        await database.transact(note_attempt, subject, now=now)
    raise Told(
        HTTPStatus.UNAUTHORIZED,
        "unauthorized",
        Sentence("The token is missing, or none of this retailer's."),
        Sentence("Send the header Authorization: Bearer, and a token after it."),
        field="Authorization",
    )


def _find_source(session: Session, slug: str, token: str) -> FeedSource | None:
    retailer = find_retailer_by_slug(session, slug)
    return find_by_token(session, retailer.id, token) if retailer else None


def _find(session: Session, source: FeedSource, import_id: str) -> FeedImport:
    brought = find_own(session, SourceImport, source.retailer_id, import_id)
    entry = find_own(session, FeedImport, source.retailer_id, import_id)
    if entry is None or brought is None or brought.source_id != source.id:
        raise Told(
            HTTPStatus.NOT_FOUND,
            "not_found",
            Sentence("This token has brought no such file."),
            Sentence("Use the address that was told when the file came."),
        )
    return entry


async def _read(request: web.Request, stream: BinaryIO) -> Brought:
    """Write the body to *stream*, as far as it may be."""
    if request.content_type.startswith("multipart/"):
        raise Told(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "no_form",
            Sentence("This is a form, and the body has to be the file itself."),
            Sentence("Send it with curl -T, or as the raw body of a PUT."),
            field="body",
        )
    most = request.app[SETTINGS].max_upload_mb
    try:
        size, sha256 = await _copy(request.content, stream, most * MEGABYTE)
    except web.RequestPayloadError:
        raise Told(
            HTTPStatus.BAD_REQUEST,
            "broken",
            Sentence("The file broke off, or is not packed as its header says."),
            Sentence("Send it again, or without Content-Encoding."),
            field="body",
        ) from None
    if size > most * MEGABYTE:
        raise Told(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "too_large",
            Sentence("The file is larger than {most} MB.", most=most),
            Sentence("Pack it with gzip, or send it in several parts."),
            field="body",
        )
    if not size:
        raise Told(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "empty",
            Sentence("The file is empty."),
            Sentence("Send the file as the body of the request."),
            field="body",
        )
    return Brought(name=_name(request), sha256=sha256, size=size)


async def _copy(content: StreamReader, stream: BinaryIO, most: int) -> tuple[int, str]:
    """Return the size of a body and its hash; of what is larger, only the size."""
    size, sha256 = 0, hashlib.sha256()
    async for chunk in content.iter_chunked(CHUNK):
        size += len(chunk)
        if size > DRAINED * most:
            break
        if size <= most:
            sha256.update(chunk)
            stream.write(chunk)
    return size, sha256.hexdigest()


def _name(request: web.Request) -> str:
    return shown_name(request.query.get("name", "").rpartition("/")[2]) or "feed"


async def _settle(
    request: web.Request, source: FeedSource, brought: Brought
) -> FeedSource:
    """Return *source* with the currency that was asked for, if it takes a file now.

    The file that came last is welcome again, whatever has become of it.
    """
    currency = request.query.get("currency", source.currency).lower()
    if not is_currency(currency):
        raise Told(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "invalid_field",
            Sentence("This is no currency that we know."),
            Sentence("Use a code such as EUR."),
            field="currency",
        )
    database, now = request.app[DATABASE], request.app[CLOCK]()
    if await database.read(find_brought, source, brought.sha256) is None:
        _refuse_halted(request, source)
        await database.read(refuse_flood, source, now=now)
    source.currency = currency
    return source


def _refuse_halted(request: web.Request, source: FeedSource) -> None:
    if source.halt is Halt.NONE:
        return
    paused = Sentence("Somebody has paused this source.")
    reason = load_sentence(source.halt_reason) if source.halt_reason else paused
    look = _look(request, source.import_id if source.halt is not Halt.PAUSED else None)
    raise Told(
        HTTPStatus.CONFLICT,
        "halted",
        Sentence(
            "Nothing is taken before a person has looked: {reason}", reason=reason
        ),
        Sentence("Look at {address}", address=look),
    )


def _describe(
    request: web.Request, entry: FeedImport, source: FeedSource
) -> dict[str, object]:
    """Return what a program is told of a file."""
    base, slug = request.app[SETTINGS].public_url, request.match_info["retailer"]
    told: dict[str, object] = {
        "import": entry.id,
        "state": entry.state.value,
        "sha256": entry.sha256,
        "status": f"{base}/feeds/{slug}/{entry.id}",
        "look": _look(request, entry.id),
    }
    if entry.state is ImportState.REFUSED:
        told["message"] = say(load_sentence(entry.refusal), request[LANGUAGE])
    elif entry.state is not ImportState.UPLOADED:
        names = ("rows", "good", "bad", "skipped", "new", "changed", "same")
        told["counts"] = {name: getattr(entry, name) for name in names}
    if source.halt is not Halt.NONE and source.halt_reason:
        told["halted"] = say(load_sentence(source.halt_reason), request[LANGUAGE])
    return told


def _look(request: web.Request, import_id: str | None) -> str:
    base = request.app[SETTINGS].public_url
    return f"{base}/feeds/{import_id or 'sources'}"


def _answer(request: web.Request, told: Told) -> web.Response:
    language = request[LANGUAGE]
    log.info("feed_not_taken", code=told.code)
    body = {
        "error": told.code,
        "message": say(told.message, language),
        "remedy": say(told.remedy, language),
    }
    if told.field:
        body["field"] = told.field
    response = web.json_response(body, status=told.status)
    if told.status is HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response
