"""Feeds are gathered from where they come by themselves, and judged once read."""

import asyncio
import hashlib
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO

import structlog
from sqlmodel import Session

from offers.bringing import (
    lease_due_sources,
    note_failure,
    note_nothing_new,
    note_seen,
)
from offers.imports import FeedImport, ImportState
from offers.judging import judge_imports
from offers.retailers import Retailer, get_retailer
from offers.scope import find_own
from offers.sentences import Sentence, load_sentence
from offers.sources import FeedSource, Halt, SourceKind, seen_files
from outletbot.clock import Clock
from outletbot.db import Database
from outletbot.fetching import Brought, Fetcher, FetchFailed, shown_name
from outletbot.folders import DONE, REFUSED, Folder, at_rest
from outletbot.intake import take_in
from outletbot.printing import say

UNSETTLED = {ImportState.UPLOADED, ImportState.CHECKED, ImportState.CONFIRMED}
NO_FOLDER = Sentence("This installation watches no folders.")

log = structlog.get_logger(__name__)


async def judge_feeds(database: Database, clock: Clock) -> int:
    """Decide on what sources brought. Return how many decisions there were."""
    judged = await database.transact(judge_imports, now=clock())
    for source in judged:
        level = log.warning if source.halt is Halt.DOUBT else log.info
        level("feed_judged", source=source.id, halt=source.halt.value)
    return len(judged)


class Gatherer:
    """Looks at sources; the folders are under *base*, files have *most* bytes."""

    def __init__(
        self,
        database: Database,
        fetcher: Fetcher,
        clock: Clock,
        *,
        base: Path | None,
        most: int,
    ) -> None:
        self._database, self._fetcher, self._clock = database, fetcher, clock
        self._base, self._most = base, most

    async def gather_due(self) -> int:
        """Look at the sources that are due. Return how many those were."""
        due = await self._database.transact(lease_due_sources, now=self._clock())
        await asyncio.gather(*(self._guarded(source) for source in due))
        return len(due)

    async def _guarded(self, source: FeedSource) -> None:
        """One source's trouble is nobody else's."""
        try:
            if source.kind is SourceKind.ADDRESS:
                await self._fetch(source)
            else:
                await asyncio.to_thread(self._look, source)
        except FetchFailed as failure:
            reason = failure.sentence
        except OSError as error:
            name = type(error).__name__
            reason = Sentence("The folder cannot be read: {reason}.", reason=name)
        except Exception:
            log.exception("source_not_gathered", source=source.id)
            reason = Sentence("Something went wrong on our side.")
        else:
            return
        log.warning("source_failed", source=source.id, reason=str(reason))
        now = self._clock()
        await self._database.transact(note_failure, source, reason, now=now)

    async def _fetch(self, source: FeedSource) -> None:
        with TemporaryFile() as target:
            brought = await self._fetcher.fetch(source, target)
            now = self._clock()
            if brought is None:
                await self._database.transact(note_nothing_new, source, now=now)
                return
            await asyncio.to_thread(
                take_in, self._database, source, target, brought, now=now
            )
        log.info("feed_fetched", source=source.id, size=brought.size)

    def _look(self, source: FeedSource) -> None:
        if self._base is None:
            raise FetchFailed(NO_FOLDER)
        retailer = self._database.read_here(get_retailer, source.retailer_id)
        folder = Folder(self._base, retailer.slug)
        self._put_away(folder, retailer)
        found = folder.waiting()
        ready = at_rest(found, seen_files(source)) if source.halt is Halt.NONE else ()
        troubles = [self._try(folder, retailer, source, name) for name in ready]
        now = self._clock()
        self._database.transact_here(note_seen, source, found, now=now)
        for trouble in filter(None, troubles):
            raise trouble

    def _try(
        self, folder: Folder, retailer: Retailer, source: FeedSource, name: str
    ) -> OSError | None:
        """Take a file; return what was in the way: others may be taken all the same."""
        try:
            self._take(folder, retailer, source, name)
        except FileNotFoundError:
            return None  # its sender took it away
        except OSError as error:
            return error
        return None

    def _take(
        self, folder: Folder, retailer: Retailer, source: FeedSource, name: str
    ) -> None:
        now = self._clock()
        with folder.open(name) as stream:
            brought = _describe(stream, name, self._most)
            if brought is None:
                why = Sentence(
                    "The file is larger than {most} MB.", most=self._most // 1024**2
                )
                folder.refuse(name, _mark(now), say(why, retailer.language))
                return
            entry, _ = take_in(self._database, source, stream, brought, now=now)
        folder.begin(name, entry.id)
        log.info("feed_taken", source=source.id, feed_import=entry.id)

    def _put_away(self, folder: Folder, retailer: Retailer) -> None:
        """Move what was decided to where its sender looks for it."""
        for file in folder.working():
            entry = self._database.read_here(_find, retailer.id, file.import_id)
            if entry is None or entry.state in UNSETTLED:
                continue
            if entry.state is ImportState.REFUSED:
                why = load_sentence(entry.refusal)
                folder.finish(file, REFUSED, say(why, retailer.language))
            elif entry.state is ImportState.DISCARDED:
                why = Sentence("Somebody discarded the file.")
                folder.finish(file, REFUSED, say(why, retailer.language))
            else:
                folder.finish(file, DONE)


def _find(session: Session, retailer_id: str, import_id: str) -> FeedImport | None:
    return find_own(session, FeedImport, retailer_id, import_id)


def _describe(stream: BinaryIO, name: str, most: int) -> Brought | None:
    """Return what a file is; nothing if it is too large."""
    sha256, size = hashlib.sha256(), 0
    while block := stream.read(1024 * 1024):
        size += len(block)
        if size > most:
            return None
        sha256.update(block)
    return Brought(name=shown_name(name), sha256=sha256.hexdigest(), size=size)


def _mark(now: datetime) -> str:
    return now.strftime("%Y%m%dT%H%M%S")
