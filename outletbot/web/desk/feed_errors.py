"""The bad rows of a feed, as a file to be mended and sent again."""

import asyncio
import json
from collections.abc import Iterator
from itertools import islice

from aiohttp import web

from offers.bad_rows import bad_rows
from offers.feed import RowError, write_error_file
from offers.imports import FeedImport
from offers.sentences import Sentence
from outletbot.db import Database
from outletbot.keys import DATABASE, LANGUAGE, RETAILER
from outletbot.printing import say
from outletbot.samples import sample_feed
from outletbot.web.desk.feed_view import columns_of, feed_view, row_error

BLOCK = 500  # rows read, and lines sent, at once

routes = web.RouteTableDef()


@routes.get("/feeds/sample.csv")
async def send_sample(_request: web.Request) -> web.Response:
    return web.Response(body=sample_feed(), headers=as_file("sample"))


@routes.get("/feeds/{import_id}/errors.csv")
async def send_errors(request: web.Request) -> web.StreamResponse:
    """Send the bad rows as a file that can be mended and sent again."""
    entry = await _read_entry(request)
    name = entry.file_name.lower().removesuffix(".csv") or "rows"
    response = web.StreamResponse(headers=as_file(f"errors-{name}"))
    await response.prepare(request)
    lines = _error_lines(request.app[DATABASE], entry, request[LANGUAGE])
    while block := await asyncio.to_thread(_join, lines):
        await response.write(block)
    return response


async def _read_entry(request: web.Request) -> FeedImport:
    import_id, retailer = request.match_info["import_id"], request[RETAILER]
    view = await request.app[DATABASE].read(feed_view, retailer.id, import_id)
    return view.entry


def _error_lines(
    database: Database, entry: FeedImport, language: str
) -> Iterator[bytes]:
    facts = json.loads(entry.facts)
    return write_error_file(
        _errors(database, entry, language),
        [column.column for column in columns_of(facts)],
        delimiter=facts.get("delimiter", ","),
    )


def _errors(database: Database, entry: FeedImport, language: str) -> Iterator[RowError]:
    """Yield the errors in the order of the file, in the reader's language."""
    after, whose = -1, entry.retailer_id
    while rows := database.read_here(
        bad_rows, whose, entry.id, limit=BLOCK, after=after
    ):
        for row in rows:
            yield _translated(row_error(row), language)
        after = rows[-1].number


def _translated(error: RowError, language: str) -> RowError:
    said = (say(error.message, language), say(error.remedy, language))
    message, remedy = (Sentence("{said}", said=text) for text in said)
    return RowError(error.line, error.column, error.value, message, remedy, error.cells)


def _join(lines: Iterator[bytes]) -> bytes:
    return b"".join(islice(lines, BLOCK))


def as_file(name: str) -> dict[str, str]:
    """Return the headers that make a browser keep an answer under *name*."""
    plain = "".join(char if char.isascii() and char.isalnum() else "-" for char in name)
    return {
        "Content-Type": "text/csv; charset=utf-8",
        "Content-Disposition": f'attachment; filename="{plain}.csv"',
    }
