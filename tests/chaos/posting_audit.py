"""
The audit: what the posts' rows say, against what people see on the networks' pages. It
knows tables and HTML, and nothing of the code that writes them.
"""

import asyncio
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import aiohttp
from sqlalchemy import Engine, text

BLIND = frozenset({"telegram", "discord"})
"""Where nobody can look for a post, and so a person is asked."""

POSTS = "SELECT code, channel, state, failure, attempts FROM post"
OUT = frozenset({"published", "retired"})
WAITING = frozenset({"scheduled", "sending"})
WRONG = ("doubled", "lost", "stuck", "unsure", "unasked", "strange")
AT_ONCE = 8

_LINK = re.compile(r"/d/([A-Za-z0-9_-]+)")
_ADDRESS = re.compile(r'href="([^"]*)"')
_TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True, slots=True)
class Row:
    code: str
    channel: str
    state: str
    failure: str
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What must be 0 is in ``wrong``; the rest says how much there was to go wrong.

    *doubled*: seen more than once. *lost*: published, and not to be seen, or given up
    though nothing was wrong with it. *stuck*: still waiting in the end. *unsure*: left
    to a person where we could have looked. *unasked*: left so without a word to them.
    *strange*: seen, and nobody's. *sent_again*: so often was a post sent once more
    after it was looked for.
    """

    posts: int
    published: int
    unconfirmed: int
    unconfirmed_and_out: int
    sent_again: int
    doubled: int
    lost: int
    stuck: int
    unsure: int
    unasked: int
    strange: int
    networks: Mapping[str, Mapping[str, int]]

    @property
    def wrong(self) -> dict[str, int]:
        """What there should be none of, and is; empty if all is well."""
        return {name: getattr(self, name) for name in WRONG if getattr(self, name)}

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"wrong": self.wrong}


def posts_in(engine: Engine) -> list[Row]:
    with engine.connect() as connection:
        return [Row(*facts) for facts in connection.execute(text(POSTS))]


def audit(rows: Iterable[Row], seen: Mapping[str, int]) -> Found:
    """Compare rows with how often each code was *seen*."""
    rows = list(rows)
    unconfirmed = [row for row in rows if row.state == "unconfirmed"]
    given_up = [row for row in rows if row.state not in {*OUT, *WAITING, "unconfirmed"}]
    vanished = [row for row in rows if row.state in OUT and not seen.get(row.code)]
    return Found(
        posts=len(rows),
        published=sum(row.state in OUT for row in rows),
        unconfirmed=len(unconfirmed),
        unconfirmed_and_out=sum(bool(seen.get(row.code)) for row in unconfirmed),
        sent_again=sum(max(0, row.attempts - 1) for row in rows),
        doubled=sum(seen.get(row.code, 0) > 1 for row in rows),
        lost=len(vanished) + len(given_up),
        stuck=sum(row.state in WAITING for row in rows),
        unsure=sum(row.channel not in BLIND for row in unconfirmed),
        unasked=sum(not row.failure for row in unconfirmed),
        strange=len(set(seen) - {row.code for row in rows}),
        networks=_by_network(rows, seen),
    )


def look(pages: Iterable[str]) -> Counter[str]:
    """Read *pages* as anybody can. Return how many posts there bear each code."""
    return asyncio.run(_look(sorted(set(pages))))


async def _look(pages: list[str]) -> Counter[str]:
    turns, seen = asyncio.Semaphore(AT_ONCE), Counter[str]()
    async with aiohttp.ClientSession() as http:

        async def read(page: str) -> None:
            async with turns, http.get(page, raise_for_status=True) as answer:
                seen.update(codes_on(await answer.text()))

        await asyncio.gather(*(read(page) for page in pages))
    return seen


def codes_on(page: str) -> Counter[str]:
    """Return how many of a page's posts bear each code; a post may say it twice."""
    _, *articles = page.split("<article")
    return Counter(code for article in articles for code in _codes_in(article))


def _codes_in(article: str) -> set[str]:
    """A long address is shown in parts, of which some are hidden."""
    shown = [*_ADDRESS.findall(article), _TAG.sub("", article)]
    return {code for words in shown for code in _LINK.findall(words)}


def _by_network(
    rows: Iterable[Row], seen: Mapping[str, int]
) -> dict[str, dict[str, int]]:
    tables: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        tables[row.channel].update({row.state: 1, "seen": seen.get(row.code, 0)})
    return {kind: dict(sorted(counts.items())) for kind, counts in tables.items()}
