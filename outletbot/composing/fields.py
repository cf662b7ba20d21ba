"""What the fields of a template stand for, in the retailer's own time and language.

A field that there is nothing to say for is empty, and its line goes: so no reduction is
claimed without its evidence.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from offers.deals import Deal
from offers.follow_ups import unsold
from offers.posts import PostKind
from offers.prices import Reduction
from offers.retailers import Retailer
from outletbot.composing.builtin import outcome_of
from outletbot.composing.fitting import words_of
from outletbot.printing import print_duration, print_moment, print_money, print_number

MOST_HASHTAGS: Mapping[str, int] = {"instagram": 30}
"""How many a post may have, by the channel's name; more, and the post is refused."""

_HASHTAG = re.compile(r"#\w")


@dataclass(frozen=True, slots=True)
class Occasion:
    """What a post is about; *outlet* is the address of the retailer's outlet page."""

    kind: PostKind
    deal: Deal
    retailer: Retailer
    reduction: Reduction | None
    link: str
    outlet: str


def tell(occasion: Occasion) -> dict[str, str]:
    """Return what each field stands for."""
    deal, retailer = occasion.deal, occasion.retailer
    language = retailer.language
    prior, percent = _evidence(occasion.reduction, language)
    over = occasion.kind is PostKind.OVER
    return {
        "title": " ".join(words_of(deal.title)),
        "price": print_money(deal.price, language),
        "prior": prior,
        "percent": percent,
        "units": print_number(max(0, _units(occasion)), language),
        "allotment": print_number(deal.allotment - deal.withheld, language),
        "starts": _moment(deal.opens_at, retailer),
        "ends": _moment(deal.closes_at, retailer),
        "duration": print_duration(_run(deal), language),
        "pitch": "\n".join(_lines(deal.pitch)),
        "hashtags": " ".join(_hashtags(retailer)),
        "outcome": outcome_of(deal, language) if over else "",
        "next": occasion.outlet,
        "link": occasion.link,
    }


def trim_hashtags(values: dict[str, str], body: str, network: str) -> dict[str, str]:
    """Leave out the retailer's hashtags that are more than the network takes."""
    most = MOST_HASHTAGS.get(network)
    if most is None:
        return values
    others = f"{body} {values['title']} {values['pitch']}"
    room = max(0, most - len(_HASHTAG.findall(others)))
    tags = values["hashtags"].split()[:room]
    return {**values, "hashtags": " ".join(tags)}


def _evidence(reduction: Reduction | None, language: str) -> tuple[str, str]:
    if reduction is None or reduction.percent < 1:
        return "", ""
    return print_money(reduction.prior, language), str(reduction.percent)


def _units(occasion: Occasion) -> int:
    """Return how many are left; how it goes is not told by what may come back."""
    announced = occasion.kind is PostKind.ANNOUNCEMENT
    return occasion.deal.left if announced else unsold(occasion.deal)


def _run(deal: Deal) -> timedelta:
    """How long it runs, or lasted until it was sold out."""
    return max((deal.sold_out_at or deal.closes_at) - deal.opens_at, timedelta())


def _moment(moment: datetime, retailer: Retailer) -> str:
    """Return the local time and whose it is; which one, if the clocks show it twice."""
    printed = print_moment(moment, retailer.zone, retailer.language)
    place = retailer.time_zone.rpartition("/")[2].replace("_", " ")
    local = moment.astimezone(retailer.zone)
    if local.utcoffset() != local.replace(fold=1 - local.fold).utcoffset():
        place = f"{place}, {local.tzname()}"
    return f"{printed} ({place})"


def _lines(pitch: str) -> Iterator[str]:
    for line in pitch.splitlines():
        if words := words_of(line):
            yield " ".join(words)


def _hashtags(retailer: Retailer) -> Iterator[str]:
    tags = (tag.strip("#, ") for tag in retailer.hashtags.split())
    yield from dict.fromkeys(f"#{tag}" for tag in tags if tag)
