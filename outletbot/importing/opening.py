"""Opening: a feed, read in the way that a person chose or that is remembered."""

import io
from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Any, BinaryIO

from offers.feed import Answers, Feed, Parent, open_feed
from offers.feed.parents import FindParent
from offers.feed.unpacking import Unpacked
from offers.imports import FeedImport
from offers.products import find_product
from outletbot.db import Database
from outletbot.importing.apart import noted


def open_chosen(
    stream: BinaryIO,
    chosen: Mapping[str, Any],
    *,
    currency: str,
    today: date,
    ask: bool = False,
    parents: FindParent | None = None,
) -> Feed:
    """Open the feed in *stream* as *chosen*; see ``offers.imports.WAYS``.

    With *ask* a file of which nothing is known is no refusal but a question.

    Raises:
        NotAFeed: If no offers can be read from it.
    """
    return open_feed(
        stream,
        currency=currency,
        today=today,
        encoding=chosen.get("encoding") or None,
        delimiter=chosen.get("delimiter") or None,
        mapping=chosen.get("mapping"),
        answers=Answers.read({"currency": currency, **chosen.get("answers", {})}),
        ask=ask,
        parents=parents,
    )


def open_source(
    source: Unpacked,
    chosen: Mapping[str, Any],
    *,
    currency: str,
    today: date,
    ask: bool = False,
    parents: FindParent | None = None,
) -> Feed:
    """Open what was unpacked, as *chosen*; only text has an encoding to choose.

    Raises:
        NotAFeed: If no offers can be read from it.
    """
    ways = {**chosen, **source.ways}
    feed = open_chosen(
        source.stream, ways, currency=currency, today=today, ask=ask, parents=parents
    )
    return noted(feed, source)


def parents_at(database: Database, retailer_id: str) -> FindParent:
    """Return what finds a retailer's products of earlier imports by their key."""

    @cache
    def find(key: str) -> Parent | None:
        return database.read_here(find_product, retailer_id, key)

    return find


def open_head(
    entry: FeedImport,
    chosen: Mapping[str, Any],
    delimiter: str,
    *,
    today: date,
    parents: FindParent,
) -> Feed:
    """Open what is kept of a file, to read single rows of it again."""
    as_kept = {**chosen, "encoding": "utf-8", "delimiter": delimiter}
    stream = io.BytesIO(entry.head.encode())
    return open_chosen(
        stream,
        as_kept,
        currency=entry.currency,
        today=today,
        ask=True,
        parents=parents,
    )
