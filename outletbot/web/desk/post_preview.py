"""A post as its network would show it, before it is one.

It is drafted as it will be, and then drawn: a link as the network writes it, the
picture in the network's shape or the card. How links are shortened is seen, not
promised: Bluesky's app shows 13 characters of a path that has more than 15, Mastodon's
page 30 without the ``https://``; for Threads the same is assumed.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_UP, Decimal
from itertools import cycle
from urllib.parse import urlsplit

from offers.accounts import OUTLET, ChannelAccount
from offers.money import Money
from outletbot.channels import Card, Channel, Counting, Draft, Rejected
from outletbot.channels.credentials import Credentials
from outletbot.drafting import Matter, draft_post
from outletbot.known_networks import NETWORKS, network_name
from outletbot.networks import Networks

CODE = "0123456789abcdefghjkmnpqrs"
"""In the place of a link's own code, which a deal gets when it is armed."""

SHORT_PATH, LONG_PATH = 13, 15
SHORT_ADDRESS = 30
CENT = Decimal("0.01")
_ADDRESS = re.compile(r"(https?://\S+)")


@dataclass(frozen=True, slots=True)
class Run:
    """Part of a line: words, or an address as it is shown."""

    text: str
    is_link: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PostPreview:
    """A post on one channel: *length* of *most*, as that channel counts.

    *picture* is where its picture, or its card's, is to be had; *host* is what a card
    names. *problem* is why it would be refused; then there is nothing else to show.
    """

    account: ChannelAccount
    name: str
    counting: Counting
    most: int
    lines: Sequence[Sequence[Run]] = ()
    length: int = 0
    picture: str = ""
    alt: str = ""
    card: Card | None = None
    host: str = ""
    fee: Money | None = None
    problem: str = ""

    @property
    def left(self) -> int:
        return self.most - self.length


def preview_post(matter: Matter, networks: Networks, *, public_url: str) -> PostPreview:
    """Return a post as it would be on the account that it is for."""
    account = matter.account
    # What a network takes is known without the account's token.
    channel = networks.connect(account.kind, account.base_url, Credentials(""))
    limits, name = channel.capabilities, network_name(account.kind)
    try:
        draft = draft_post(matter, channel, public_url=public_url)
    except Rejected as refusal:
        return PostPreview(
            account=account,
            name=name,
            counting=limits.counting,
            most=limits.room(pictured=limits.images.least > 0),
            problem=str(refusal),
        )
    return _drawn(draft, account, channel, name)


def strangers(
    retailer_id: str, known: Iterable[ChannelAccount], *, now: datetime
) -> list[ChannelAccount]:
    """Return an account on each network that none of *known* is on; kept nowhere."""
    kinds = {account.kind for account in known}
    return [
        stranger(retailer_id, kind, now=now)
        for kind in (OUTLET, *NETWORKS)
        if kind not in kinds
    ]


def stranger(retailer_id: str, kind: str, *, now: datetime) -> ChannelAccount:
    return ChannelAccount(
        id=f"account_{kind}", retailer_id=retailer_id, kind=kind, connected_at=now
    )


def shown_address(kind: str, address: str) -> str:
    """Return an address as a kind of network shows it in a text."""
    parts = urlsplit(address)
    path = f"{parts.path.rstrip('/')}{'?' if parts.query else ''}{parts.query}"
    if kind == "x":
        return parts.netloc
    if kind == "bluesky":
        short = f"{path[:SHORT_PATH]}..." if len(path) > LONG_PATH else path
        return f"{parts.netloc}{short}"
    if kind in {"mastodon", "threads"}:
        whole = f"{parts.netloc.removeprefix('www.')}{path}"
        short = whole[:SHORT_ADDRESS]
        return short if short == whole else f"{short}…"
    return address


def _drawn(
    draft: Draft, account: ChannelAccount, channel: Channel, name: str
) -> PostPreview:
    limits = channel.capabilities
    shown = [*draft.images, *([draft.card.image] if draft.card else [])]
    alt = draft.images[0].alt[: limits.images.max_alt_length] if draft.images else ""
    fees = limits.fees
    return PostPreview(
        account=account,
        name=name,
        counting=limits.counting,
        most=limits.room(pictured=bool(draft.images)),
        lines=list(_lines(draft, account.kind, tappable=limits.links_work)),
        length=channel.length(draft.text),
        picture=urlsplit(shown[0].address).path if shown and shown[0] else "",
        alt=alt,
        card=draft.card,
        host=urlsplit(draft.link).netloc,
        fee=_dollars(fees.post_with_link) if fees else None,
    )


def _lines(draft: Draft, kind: str, *, tappable: bool) -> Iterator[list[Run]]:
    """Yield the lines of a text, taken apart at its addresses."""
    for line in draft.text.split("\n"):
        parts = _ADDRESS.split(line) if tappable else [line]
        runs = [
            Run(shown_address(kind, part), is_link=True) if odd else Run(part)
            for part, odd in zip(parts, cycle((False, True)), strict=False)
        ]
        yield [run for run in runs if run.text]


def _dollars(fee: Decimal) -> Money:
    return Money.of(fee.quantize(CENT, ROUND_UP), "usd")
