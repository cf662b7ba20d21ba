"""Deciding: what a person wants done with a file that was checked."""

import json
from collections.abc import Mapping
from typing import Any

from sqlmodel import Session

from offers.errors import Refused, WrongState
from offers.feed import Question
from offers.imports import HERE, FeedImport, ImportState, end_import
from offers.scope import get_own
from offers.sentences import Sentence, load_sentence
from offers.shrinking import refuse_shrinking, shrinkage_of


def discard_import(session: Session, retailer_id: str, import_id: str) -> None:
    """Forget a file that was checked and is not wanted.

    Raises:
        Missing: If it is not this retailer's.
        WrongState: If it is imported, or being imported.
    """
    feed = get_own(session, FeedImport, retailer_id, import_id)
    if not end_import(session, feed.id, ImportState.DISCARDED, since=HERE, head=""):
        raise WrongState(Sentence("This file is past being discarded."))


def confirm_import(
    session: Session,
    retailer_id: str,
    import_id: str,
    *,
    by: str | None = None,
    complete: bool = False,
    whole: bool = False,
    agreed: int | None = None,
) -> None:
    """Let the worker import a checked file; confirming twice is fine.

    *complete*: offers like those of the file that it does not mention have no stock.
    *whole*: only if every row is good. *agreed* is how many offers may lose their stock
    although that is doubtful.

    Raises:
        Missing: If it is not this retailer's.
        WrongState: If it was refused, discarded or not checked yet.
        Refused: If something is open that must be answered or mended before.
        TooMuchWouldGo: If so many offers would lose their stock that it is doubtful.
    """
    feed = get_own(session, FeedImport, retailer_id, import_id)
    if feed.state in {ImportState.CONFIRMED, ImportState.IMPORTED}:
        return
    if feed.state is not ImportState.CHECKED:
        raise WrongState(Sentence("This file has not been checked, or was refused."))
    _refuse_open(feed, complete=complete, whole=whole)
    shrinkage = shrinkage_of(json.loads(feed.facts))
    refuse_shrinking(shrinkage, complete=complete, agreed=agreed)
    feed.complete, feed.whole, feed.confirmed_by = complete, whole, by
    feed.state, feed.progress, feed.leased_until = ImportState.CONFIRMED, 0, None
    session.add(feed)


def _refuse_open(feed: FeedImport, *, complete: bool, whole: bool) -> None:
    facts = json.loads(feed.facts)
    questions = open_questions(facts)
    if questions:
        raise Refused(
            Sentence(
                "Answer this first: {question}",
                question=load_sentence(questions[0]["sentence"]),
            )
        )
    if whole and feed.bad:
        raise Refused(
            Sentence(
                "You want all rows or none, and {bad} are bad. Mend them, or leave "
                "them out.",
                bad=feed.bad,
            )
        )
    if complete and facts.get("unplaced"):
        raise Refused(
            Sentence(
                "Of {rows} bad rows nobody can tell which offers they are, so it is "
                "not known what is missing. Mend them, or leave them out.",
                rows=facts["unplaced"],
            )
        )


def open_questions(facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the questions that must be answered and are not."""
    asked = facts.get("questions", ())
    return [q for q in asked if q["needed"] and not q["answered"]]


def must_be_answered(question: Question) -> bool:
    """Whether nothing can be imported before somebody answers.

    Most lists of a shop's prices say nothing of tax, and are with it: that is asked and
    warned of, but stops nobody.
    """
    return question.needed and question.kind != "tax"


def recheck_import(
    session: Session, retailer_id: str, import_id: str, overrides: Mapping[str, object]
) -> None:
    """Check a file again, read in the way that a person chose.

    Raises:
        Missing: If it is not this retailer's.
        WrongState: If its file is no longer here.
    """
    feed = get_own(session, FeedImport, retailer_id, import_id)
    if feed.state not in HERE:
        raise WrongState(Sentence("This file is no longer here. Upload it again."))
    feed.state, feed.progress, feed.leased_until = ImportState.UPLOADED, 0, None
    feed.overrides = json.dumps(overrides, ensure_ascii=False)
    feed.repeats, feed.attempts = "", 0
    session.add(feed)
