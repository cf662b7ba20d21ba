"""Recalling: what was chosen for an earlier file like this one."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session

from offers.feed import NotAFeed, header_of
from offers.feed.positions import is_nameless
from offers.feed.unpacking import Unpacked
from offers.imports import WAYS, FeedImport, note_choices
from offers.memories import (
    FeedMemory,
    find_memory,
    fingerprint_of,
    fitted,
    remember,
)
from offers.retailers import get_retailer
from outletbot.db import Database

_NUMBERS = re.compile(r"[0-9]+")


def recall(database: Database, entry: FeedImport, source: Unpacked) -> None:
    """Know *entry* by its header, and read it as its like unless told otherwise."""
    chosen = json.loads(entry.overrides)
    header = _header(source, chosen)
    entry.fingerprint = fingerprint_of(header)
    found = database.read_here(_find, entry)
    if found is not None and is_nameless(header) and not _are_alike(found, entry):
        found = None
    untouched = not any(chosen.get(way) for way in WAYS)
    if found is not None and untouched and not chosen.get("afresh"):
        remembered = fitted(json.loads(found.choices), header)
        currency = remembered.pop("currency", None)
        if currency and database.read_here(_is_usual, entry):
            entry.currency = currency
        entry.overrides = json.dumps(
            {**chosen, **remembered, "remembered": _note(found)}, ensure_ascii=False
        )
    database.transact_here(
        note_choices,
        entry.id,
        fingerprint=entry.fingerprint,
        overrides=json.loads(entry.overrides),
        currency=entry.currency,
    )


def keep_in_mind(session: Session, entry: FeedImport, *, now: datetime) -> None:
    """Remember how *entry* was read, if anybody chose anything."""
    chosen = json.loads(entry.overrides)
    kept: dict[str, Any] = {way: chosen[way] for way in WAYS if chosen.get(way)}
    if not _is_usual(session, entry):
        kept["currency"] = entry.currency
    if kept:
        remember(session, entry, kept, now=now)


def _header(source: Unpacked, chosen: Mapping[str, Any]) -> Sequence[str]:
    ways = {**chosen, **source.ways}
    try:
        return header_of(
            source.stream,
            encoding=ways.get("encoding") or None,
            delimiter=ways.get("delimiter") or None,
        )
    except NotAFeed:
        return ()


def _find(session: Session, entry: FeedImport) -> FeedMemory | None:
    if not entry.fingerprint:
        return None
    return find_memory(session, entry.retailer_id, entry.fingerprint)


def _are_alike(memory: FeedMemory, entry: FeedImport) -> bool:
    """Whether two files without headers are of the same kind, by their names.

    The number of their columns alone says nothing of what is in them; a name may have
    another date in it each time.
    """
    before, now = (
        _NUMBERS.sub("", name) for name in (memory.file_name, entry.file_name)
    )
    return bool(now) and before == now


def _is_usual(session: Session, entry: FeedImport) -> bool:
    return entry.currency == get_retailer(session, entry.retailer_id).currency


def _note(memory: FeedMemory) -> dict[str, object]:
    """Return what the page says of it."""
    return {
        "file_name": memory.file_name,
        "at": memory.remembered_at.isoformat(),
        "version": memory.version,
    }
