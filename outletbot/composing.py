"""Composing: a deal as the text of a post, in the retailer's language.

A text is made of lines in the order of their worth. What does not fit is left out from
the end, line by line and then word by word, and never the price or the link.
"""

from collections.abc import Callable

from offers.deals import Deal, Phase
from offers.prices import Reduction
from offers.retailers import Retailer
from outletbot.channels import Channel
from outletbot.languages import translations
from outletbot.printing import print_duration, print_moment, print_money

ELLIPSIS = "…"


def compose(
    deal: Deal,
    retailer: Retailer,
    link: str,
    *,
    reduction: Reduction | None,
    channel: Channel,
) -> str:
    """Return the text that announces *deal*, no longer than *channel* takes."""
    gettext = translations(retailer.language).gettext
    ends = print_moment(deal.closes_at, retailer.zone, retailer.language)
    facts = gettext("{units} available, until {moment}").format(
        units=deal.allotment - deal.withheld, moment=f"{ends} ({_place(retailer)})"
    )
    needed = [_price_line(deal, reduction, retailer.language), link]
    wanted = [facts, deal.pitch, _hashtags(retailer)]
    return _fit(deal.title, needed, wanted, channel)


def compose_over(deal: Deal, text: str, retailer: Retailer, channel: Channel) -> str:
    """Return *text*, what was posted, with the word that the deal is over before it."""
    gettext = translations(retailer.language).gettext
    word = gettext("ENDED")
    if deal.phase(deal.closes_at) is Phase.SOLD_OUT and deal.sold_out_at is not None:
        after = print_duration(deal.sold_out_at - deal.opens_at, retailer.language)
        word = gettext("SOLD OUT after {duration}").format(duration=after)
    title, *lines = text.split("\n")
    while len(lines) > 2 and not _fits([_over(word, title), *lines], channel):
        lines.pop(-2)  # the price is the first of them, the link the last
    title = _shorten(title, lambda t: _fits([_over(word, t), *lines], channel))
    return "\n".join([_over(word, title), *lines])


def _over(word: str, title: str) -> str:
    return f"{word} · {title}" if title else word


def _price_line(deal: Deal, reduction: Reduction | None, language: str) -> str:
    price = print_money(deal.price, language)
    if reduction is None or reduction.percent < 1:
        return price
    gettext = translations(language).gettext
    return gettext(
        "{price} (-{percent}%, lowest price of the last 30 days: {prior})"
    ).format(
        price=price,
        percent=reduction.percent,
        prior=print_money(reduction.prior, language),
    )


def _fit(title: str, needed: list[str], wanted: list[str], channel: Channel) -> str:
    """Keep the title and what is needed; take of what is wanted as much as fits."""
    price, link = needed
    kept = [line for line in wanted if line]
    while kept and not _fits([title, price, *kept, link], channel):
        kept.pop()
    rest = [price, *kept, link]
    short = _shorten(title, lambda t: _fits([t, *rest], channel))
    return "\n".join([short, *rest] if short else rest)


def _fits(lines: list[str], channel: Channel) -> bool:
    return channel.length("\n".join(lines)) <= _room(channel)


def _room(channel: Channel) -> int:
    return channel.capabilities.max_length


def _shorten(text: str, fits: Callable[[str], bool]) -> str:
    """Return *text*, cut between words until it fits; nothing if one word does not."""
    words = text.split()
    while words and not fits(text):
        words.pop()
        text = " ".join(words).rstrip(" ,;:-") + ELLIPSIS if words else ""
    return text


def _hashtags(retailer: Retailer) -> str:
    tags = (tag.strip("#, ") for tag in retailer.hashtags.split())
    return " ".join(f"#{tag}" for tag in tags if tag)


def _place(retailer: Retailer) -> str:
    """``Europe/Paris`` as ``Paris``: whose time it is."""
    return retailer.time_zone.rpartition("/")[2].replace("_", " ")
