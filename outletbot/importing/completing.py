"""Completing: after a complete file, what it does not mention has no stock."""

import json
from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from offers.emptying import empty_missing, measure_shrinkage
from offers.imports import FeedImport
from offers.seen import Seen
from offers.shrinking import shrinkage_of
from outletbot.db import Database
from outletbot.importing.report import Report
from outletbot.importing.writing import fit_deals


def measure(
    database: Database, entry: FeedImport, report: Report, seen: Seen
) -> Report:
    """Return *report* with what the file means for all that is known."""
    shrinkage = database.read_here(
        measure_shrinkage, entry, seen, emptied=report.emptied
    )
    return replace(report, shrinkage=shrinkage)


def take_away_missing(
    database: Database, entry: FeedImport, seen: Seen, *, now: datetime
) -> int:
    """Empty what is not *seen*. Return how many offers lost their stock.

    If more would lose it than when somebody agreed, nothing is emptied at all.
    """
    agreed = shrinkage_of(json.loads(entry.facts))
    found = database.read_here(measure_shrinkage, entry, seen, emptied=0)
    grown = found.missing_stocked > agreed.missing_stocked
    if grown and found.is_doubtful(complete=True):
        return 0
    emptied, after, begun = 0, "", False
    while after or not begun:
        begun = True
        after, skus = database.transact_here(_empty_some, entry, seen, after, now)
        emptied += len(skus)
    return emptied


def _empty_some(
    session: Session, entry: FeedImport, seen: Seen, after: str, now: datetime
) -> tuple[str, list[str]]:
    after, skus = empty_missing(session, entry, seen, after=after, now=now)
    fit_deals(session, entry.retailer_id, skus, now=now)
    return after, skus
