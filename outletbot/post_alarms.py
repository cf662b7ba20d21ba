"""What is wrong with a retailer's posts and channels just now, for its pages.

That is read anew whenever it is shown: a worker that is down tells nobody, but a page
does.
"""

from dataclasses import dataclass
from datetime import datetime

from aiohttp import web
from sqlmodel import Session

from offers.accounts import ChannelAccount
from offers.posts import PostState
from offers.sentences import Sentence
from offers.shop_troubles import ShopTrouble
from offers.troubles import FeedAlarm, PostAlarm, find_troubles
from outletbot.alarm_letters import (
    feed_address,
    feed_reason,
    shop_address,
    tell_feed,
    tell_post,
    tell_shop,
)


@dataclass(frozen=True, slots=True)
class PostTrouble:
    """A post that is late, failed or unconfirmed; *sentence* says which of it what."""

    post_id: str
    deal_id: str
    sentence: Sentence
    state: PostState
    due_at: datetime
    failure: str

    @property
    def to_send_again(self) -> bool:
        return self.state in {PostState.FAILED, PostState.UNCONFIRMED}


@dataclass(frozen=True, slots=True)
class ChannelTrouble:
    """A channel on which nothing goes out before somebody has looked."""

    account_id: str
    kind: str
    handle: str
    trouble: str


@dataclass(frozen=True, slots=True)
class FeedTrouble:
    """A source of feeds that has to be looked at, at *address*."""

    sentence: Sentence
    reason: Sentence | None
    address: str


@dataclass(frozen=True, slots=True)
class UntoldShop:
    """A shop that does not hear what was sold here; *reason* is in its words."""

    sentence: Sentence
    reason: str
    address: str


@dataclass(frozen=True, slots=True)
class PostAlarms:
    """What is wrong with posts, channels, feeds and shops; nothing if it is empty."""

    posts: tuple[PostTrouble, ...] = ()
    channels: tuple[ChannelTrouble, ...] = ()
    feeds: tuple[FeedTrouble, ...] = ()
    shops: tuple[UntoldShop, ...] = ()

    def __len__(self) -> int:
        posting = len(self.posts) + len(self.channels)
        return posting + len(self.feeds) + len(self.shops)


BANNER = web.RequestKey("BANNER", PostAlarms)
"""What every page of the desk says at its top; absent where there is nothing."""


def read_post_alarms(
    session: Session, retailer_id: str, *, now: datetime
) -> PostAlarms:
    """Return what is wrong with a retailer's posts and channels just now."""
    troubles = find_troubles(session, retailer_id, now=now)
    return PostAlarms(
        tuple(map(_post_trouble, troubles.posts)),
        tuple(map(_channel_trouble, troubles.accounts)),
        tuple(map(_feed_trouble, troubles.feeds)),
        tuple(map(_untold_shop, troubles.shops)),
    )


def _post_trouble(alarm: PostAlarm) -> PostTrouble:
    post = alarm.post
    return PostTrouble(
        post.id,
        post.deal_id,
        tell_post(alarm),
        post.state,
        post.first_due_at,
        post.failure,
    )


def _channel_trouble(account: ChannelAccount) -> ChannelTrouble:
    return ChannelTrouble(account.id, account.kind, account.handle, account.trouble)


def _feed_trouble(alarm: FeedAlarm) -> FeedTrouble:
    source = alarm.source
    return FeedTrouble(tell_feed(alarm), feed_reason(source), feed_address(source))


def _untold_shop(trouble: ShopTrouble) -> UntoldShop:
    return UntoldShop(tell_shop(trouble), trouble.reason, shop_address(trouble))
