"""Templates: how a retailer words its posts, by language, kind and network.

A template is text with fields in braces; what a field stands for is told when a post is
composed. One that could not make a post that is found again is refused when it is
saved: the link is how a post is known, and it has to stand alone to stay whole.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, Session, SQLModel, col, select

from offers.columns import Moment
from offers.errors import InvalidField
from offers.honesty_words import says_reduction, why_no_soldes
from offers.ids import new_id
from offers.retailers import get_retailer, take_turns
from offers.sentences import Sentence

FIELDS = (
    "title",
    "price",
    "prior",
    "percent",
    "units",
    "allotment",
    "starts",
    "ends",
    "duration",
    "pitch",
    "hashtags",
    "outcome",
    "next",
    "link",
)
LINK, PRICE = "link", "price"
ADDRESSES = ("link", "next")
ANNOUNCEMENT = "announcement"
"""The kind that has to name the price."""

LONGEST = 2_000
MOST_LINES, MOST_TIMES = 40, 3
"""How many lines a text has, and how often a field is in it; fitting tries them all."""

_FIELD = re.compile(r"\{([^{}]*)\}")


class PostTemplate(SQLModel, table=True):
    """*body* is text with fields in braces; an empty *network* is for all of them.

    Where a retailer has none, the sentences that outletbot comes with are used.
    """

    __tablename__ = "post_template"
    __table_args__ = (UniqueConstraint("retailer_id", "language", "kind", "network"),)

    id: str = Field(primary_key=True)
    retailer_id: str = Field(foreign_key="retailer.id", index=True)
    language: str = Field(max_length=2)
    kind: str
    network: str = ""
    body: str
    changed_at: datetime = Field(sa_type=Moment)


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a line: the name of a field, or words as they are."""

    text: str
    is_field: bool = False


def pieces(line: str) -> Iterator[Piece]:
    """Yield what a line of a template is made of."""
    done = 0
    for found in _FIELD.finditer(line):
        if found.start() > done:
            yield Piece(line[done : found.start()])
        yield Piece(found[1], is_field=True)
        done = found.end()
    if done < len(line):
        yield Piece(line[done:])


def check_body(kind: str, body: str) -> str:
    """Return the body of a template as it is kept.

    Raises:
        InvalidField: If no post could be made of it; the sentence names the field.
    """
    lines = body.replace("\0", "").strip().splitlines()
    body = "\n".join(line.rstrip() for line in lines)
    problem = _problem(kind, body)
    if problem is not None:
        raise InvalidField("body", problem, body)
    return body


def keep_template(
    session: Session,
    retailer_id: str,
    *,
    language: str,
    kind: str,
    network: str = "",
    body: str,
    now: datetime,
) -> PostTemplate:
    """Word a retailer's posts of a kind, on one network or on all others.

    Raises:
        InvalidField: If no post could be made of *body*, or it may not be said now.
    """
    body = check_body(kind, body)
    retailer = get_retailer(session, retailer_id)
    problem = why_no_soldes(session, retailer, body, start=now, end=now)
    if problem is not None:
        raise InvalidField("body", problem, body)
    take_turns(session, retailer_id)
    template = _find(session, retailer_id, language, kind, network) or PostTemplate(
        id=new_id("template", now),
        retailer_id=retailer_id,
        language=language,
        kind=kind,
        network=network,
        body=body,
        changed_at=now,
    )
    template.body, template.changed_at = body, now
    session.add(template)
    session.flush()
    return template


def drop_template(
    session: Session, retailer_id: str, *, language: str, kind: str, network: str = ""
) -> None:
    """Go back to what is said without this template; none is fine."""
    template = _find(session, retailer_id, language, kind, network)
    if template is not None:
        session.delete(template)
        session.flush()


def templates(session: Session, retailer_id: str, language: str) -> list[PostTemplate]:
    """Return a retailer's templates in one language, the general ones first."""
    statement = (
        select(PostTemplate)
        .where(
            PostTemplate.retailer_id == retailer_id, PostTemplate.language == language
        )
        .order_by(col(PostTemplate.kind), col(PostTemplate.network))
    )
    return list(session.exec(statement))


def choose_template(
    kept: Iterable[PostTemplate], *, kind: str, network: str
) -> PostTemplate | None:
    """Return the network's own template for a *kind*, or the general one, if any."""
    found = {template.network: template for template in kept if template.kind == kind}
    return found.get(network) or found.get("")


def _find(
    session: Session, retailer_id: str, language: str, kind: str, network: str
) -> PostTemplate | None:
    statement = select(PostTemplate).where(
        PostTemplate.retailer_id == retailer_id,
        PostTemplate.language == language,
        PostTemplate.kind == kind,
        PostTemplate.network == network,
    )
    return session.exec(statement).one_or_none()


def _problem(kind: str, body: str) -> Sentence | None:
    """Return the first thing that is wrong with a body."""
    if not body:
        return Sentence("Fill this in.")
    if len(body) > LONGEST:
        return Sentence("Use {longest} characters at most.", longest=LONGEST)
    if body.count("\n") >= MOST_LINES:
        return Sentence("Use {most} lines at most.", most=MOST_LINES)
    fields = Counter(_FIELD.findall(body))
    for name in fields:
        if name not in FIELDS:
            return Sentence("There is no field {field}.", field=_braced(name))
    if set("{}") & set(_FIELD.sub("", body)):
        return Sentence(
            "A brace has no other half: a field is written as {field} is.",
            field="{title}",
        )
    return _missing(kind, fields) or _attached(body) or _claim(body)


def _missing(kind: str, fields: Counter[str]) -> Sentence | None:
    needed = (LINK, PRICE) if kind == ANNOUNCEMENT else (LINK,)
    for name in needed:
        if not fields[name]:
            return Sentence("The field {field} is missing.", field=_braced(name))
    for name in ADDRESSES:
        if fields[name] > 1:
            return Sentence("Write {field} only once.", field=_braced(name))
    for name, times in fields.items():
        if times > MOST_TIMES:
            return Sentence(
                "Write {field} {most} times at most.",
                field=_braced(name),
                most=MOST_TIMES,
            )
    return None


def _attached(body: str) -> Sentence | None:
    """Tell of an address that something touches: networks would read it as part."""
    for name in ADDRESSES:
        if re.search(rf"\S\{{{name}\}}|\{{{name}\}}\S", body):
            return Sentence(
                "Leave a space or a line break on both sides of {field}.",
                field=_braced(name),
            )
    return None


def _claim(body: str) -> Sentence | None:
    """Tell of a reduction in words of its own: only a field has its evidence."""
    if not says_reduction(_FIELD.sub("", body)):
        return None
    return Sentence(
        "Use {percent} and {prior} for what an offer cost before: figures typed here"
        " would have no evidence.",
        percent=_braced("percent"),
        prior=_braced("prior"),
    )


def _braced(name: str) -> str:
    return f"{{{name}}}"
