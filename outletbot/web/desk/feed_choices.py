"""How a person wants a file to be read: its encoding, delimiter, columns, currency."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from multidict import MultiMapping
from sqlmodel import Session

from offers.deciding import recheck_import
from offers.errors import InvalidField
from offers.feed import DELIMITERS, ENCODINGS, Answers
from offers.imports import HERE, FeedImport
from offers.memories import forget
from offers.money import is_currency
from offers.scope import get_own
from offers.sentences import Sentence
from outletbot.web.desk.feed_view import CHOOSABLE, columns_of
from outletbot.web.forms import Form, read_text

NOT_OFFERED = Sentence("Choose from the list.")
LONGEST_ANSWER = 5_000


def recheck(session: Session, retailer_id: str, import_id: str, form: Form) -> None:
    """Let a file be read again in the way that *form* says.

    Raises:
        Missing: If it is not this retailer's.
        WrongState: If its file is no longer here.
        InvalidField: If a choice is none that the page offers.
    """
    entry = get_own(session, FeedImport, retailer_id, import_id)
    chosen = read_choices(form, entry)
    recheck_import(session, retailer_id, import_id, chosen)
    if "again" in form:
        return
    currency = read_text(form, "currency", longest=3).lower() or entry.currency
    if not is_currency(currency):
        problem = Sentence("This is no currency that we know.")
        raise InvalidField("currency", problem, currency)
    entry.currency = currency


def read_choices(form: Form, entry: FeedImport) -> dict[str, object]:
    """Return how a person wants the file read, with what they chose before.

    Raises:
        InvalidField: If a choice is none that the page offers.
    """
    facts, before = json.loads(entry.facts), json.loads(entry.overrides)
    mapping = dict(before.get("mapping", {}))
    for column in columns_of(facts):
        field = read_text(form, f"column-{column.number}", longest=40)
        asked = f"column-{column.number}" in form
        if asked and field != column.field:
            if field not in {*CHOOSABLE, ""}:
                raise InvalidField("mapping", NOT_OFFERED, field)
            mapping[column.column] = field
    return {
        "encoding": _one_of(form, "encoding", ENCODINGS, facts, before),
        "delimiter": _one_of(form, "delimiter", DELIMITERS, facts, before),
        "mapping": mapping,
        "answers": {**before.get("answers", {}), **_answers(form, facts)},
        "remembered": before.get("remembered"),
        "again": "again" in form or before.get("again", False),
    }


def forget_choices(
    session: Session, retailer_id: str, import_id: str, *, now: datetime
) -> None:
    """Forget what was chosen for files like this one, and read it afresh.

    Raises:
        Missing: If it is not this retailer's.
    """
    entry = get_own(session, FeedImport, retailer_id, import_id)
    forget(session, retailer_id, entry.fingerprint, now=now)
    if entry.state in HERE:
        recheck_import(session, retailer_id, import_id, {"afresh": True})


def _answers(form: Form, facts: Mapping[str, Any]) -> dict[str, str]:
    """Return the answers to the questions that the form asked."""
    answers = {}
    for number, question in enumerate(facts.get("questions", ())):
        if f"asked-{number}" not in form:
            continue
        key, text = question["key"], _said(form, f"answer-{number}")
        if text == (question["answer"] if question["answered"] else ""):
            continue
        offered = {value for value, _ in question["choices"]}
        if offered and not set(text.splitlines()) <= offered:
            raise InvalidField(key, NOT_OFFERED, text)
        answers[key] = _possible(key, text)
    return answers


def _said(form: Form, name: str) -> str:
    """Return what was said; several choices are joined by line breaks."""
    if isinstance(form, MultiMapping):
        said = [one for one in form.getall(name, []) if isinstance(one, str)]
        return "\n".join(said).replace("\r", "").strip()[:LONGEST_ANSWER]
    return read_text(form, name, longest=LONGEST_ANSWER)


def _possible(key: str, text: str) -> str:
    try:
        Answers.read({key: text})
    except ValueError:
        problem = Sentence("“{text}” is no possible answer.", text=text)
        raise InvalidField(key, problem, text) from None
    return text


def _one_of(
    form: Form,
    name: str,
    values: Sequence[str],
    facts: Mapping[str, Any],
    before: Mapping[str, Any],
) -> str | None:
    value = form.get(name)
    if not value or value == facts.get(name):
        return before.get(name)
    if not isinstance(value, str) or value not in values:
        raise InvalidField(name, NOT_OFFERED)
    return value
