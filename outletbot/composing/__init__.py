"""Composing: what there is to say of a deal as the text of a post.

A text is made of a template's lines. What does not fit is left out, the line that is
least worth first, then the title is cut between words; the price and the link stay.

fields     what the fields of a template stand for
builtin    what is said where a retailer has no words of its own
fitting    a text no longer than a network takes
"""

import re
from collections.abc import Iterator, Mapping

from offers.deals import Deal
from offers.honesty import Rule
from offers.retailers import Retailer
from offers.templates import Piece, PostTemplate, pieces
from outletbot.channels import Channel, Rejected
from outletbot.composing.builtin import builtin_body, outcome_of, where_links_are_dead
from outletbot.composing.fields import Occasion, tell, trim_hashtags
from outletbot.composing.fitting import Line, NoRoom, fit
from outletbot.printing import print_money

__all__ = ["Occasion", "builtin_body", "compose", "compose_over"]

HINT = 7
"""The worth of the words that say what to do with a link that cannot be tapped."""


def compose(
    occasion: Occasion,
    template: PostTemplate | None,
    channel: Channel,
    *,
    pictured: bool,
) -> str:
    """Return the text of a post by *template*, or by our own sentences if None.

    Raises:
        Rejected: If not even the price and the link fit.
    """
    language = occasion.retailer.language
    reduction = occasion.reduction
    rule = reduction.rule if reduction else Rule.LOWEST
    body = template.body if template else builtin_body(occasion.kind, language, rule)
    values = trim_hashtags(tell(occasion), body, channel.name)
    lines = [Line.of(pieces(line)) for line in body.split("\n")]
    if not (channel.capabilities.links_work or (template and template.network)):
        lines = list(_hinted(lines, where_links_are_dead(language)))
    return _fit(lines, values, channel, pictured=pictured)


def compose_over(
    deal: Deal,
    text: str,
    retailer: Retailer,
    channel: Channel,
    *,
    link: str = "",
    pictured: bool = False,
) -> str:
    """Return *text*, what was posted, with the word that the deal is over before it.

    Raises:
        Rejected: If that word, the price and the link do not fit.
    """
    values = {
        "outcome": outcome_of(deal, retailer.language),
        "price": print_money(deal.price, retailer.language),
        "link": link,
    }
    head, *rest = _taken_apart(text, values)
    title, after = _title_of(head)
    before = [Piece("outcome", is_field=True)]
    if title:
        before += [Piece(" · "), Piece("title", is_field=True)]
    elif after:
        before.append(Piece(" · "))
    lines = [Line.of([*before, *after]), *map(Line.of, rest)]
    return _fit(lines, {**values, "title": title}, channel, pictured=pictured)


def _fit(
    lines: list[Line], values: Mapping[str, str], channel: Channel, *, pictured: bool
) -> str:
    room = channel.capabilities.room(pictured=pictured)
    try:
        return fit(lines, values, lambda text: channel.length(text) <= room)
    except NoRoom as error:
        msg = (
            f"{channel.name.capitalize()} takes a text of {room} at most:"
            " not even the price and the link fit."
        )
        raise Rejected(msg) from error


def _hinted(lines: list[Line], hint: str) -> Iterator[Line]:
    for line in lines:
        if "link" in line.fields:
            yield Line((Piece(hint),), HINT)
        yield line


def _taken_apart(text: str, values: Mapping[str, str]) -> list[list[Piece]]:
    """Find the link, and the price where it is named first, in what was posted."""
    known = [re.escape(values["link"])] if values["link"] else []
    price = rf"(?<![\d.,]){re.escape(values['price'])}"
    lines, priced = [], False
    for line in text.split("\n"):
        wanted = "|".join(known if priced else [*known, price])
        parts = re.split(f"({wanted})", line) if wanted else [line]
        lines.append([_known(part, values) for part in parts if part])
        priced = priced or Piece("price", is_field=True) in lines[-1]
    return lines


def _known(part: str, values: Mapping[str, str]) -> Piece:
    for name in ("link", "price"):
        if part == values[name]:
            return Piece(name, is_field=True)
    return Piece(part)


def _title_of(line: list[Piece]) -> tuple[str, list[Piece]]:
    """Take the words that a line begins with; return them, and what comes after."""
    if not line or line[0].is_field:
        return "", line
    words = line[0].text.rstrip(" ")
    gap = line[0].text[len(words) :]
    return words, [*([Piece(gap)] if gap else []), *line[1:]]
