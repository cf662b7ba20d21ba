"""How published posts do is read back from their networks, more and more seldom.

Nobody waits for it: what cannot be read now is read a while later. Where reading costs
money, posts are asked about once a day, and only as far as the account's budget goes.
"""

from collections.abc import Mapping, Sequence

import structlog
from sqlmodel import Session

from offers.accounts import ChannelAccount
from offers.allowances import MICROS_PER_CENT, spent_micros
from offers.numbers import (
    AGES,
    DAILY,
    Reading,
    lease_measuring,
    posts_to_measure,
    record_reading,
)
from offers.posts import Post
from outletbot.channels import Ability, Capabilities, Channel, ChannelError, Numbers
from outletbot.clock import Clock
from outletbot.db import Database
from outletbot.known_networks import NETWORKS
from outletbot.networks import Networks
from outletbot.sealing import CannotOpen
from outletbot.tokens import Keeper

log = structlog.get_logger(__name__)

AT_ONCE = 50
"""So many posts are asked about in one go: what is lost then is asked for again."""


async def measure_posts(
    database: Database, networks: Networks, keeper: Keeper, clock: Clock
) -> int:
    """Read how posts do that are due to be asked about. Return how many were."""
    kinds = [kind for kind in NETWORKS if _can(networks.capabilities(kind))]
    leased = await database.transact(lease_measuring, kinds, now=clock())
    measured = 0
    for account in leased:
        try:
            measured += await _measure(database, keeper, account, clock)
        except (ChannelError, CannotOpen) as error:
            log.info("posts_not_measured", account=account.id, reason=str(error))
        except Exception:
            log.exception("posts_not_measured", account=account.id)
    return measured


def _can(capabilities: Capabilities) -> bool:
    return Ability.MEASURE in capabilities.abilities


async def _measure(
    database: Database, keeper: Keeper, account: ChannelAccount, clock: Clock
) -> int:
    channel = await keeper.channel(account)
    cost = cost_of_reading(channel.capabilities)
    posts = await database.read(
        posts_to_measure, account.id, now=clock(), ages=DAILY if cost else AGES
    )
    if cost:
        posts = posts[: await database.read(affordable, account, cost, clock)]
    for start in range(0, len(posts), AT_ONCE):
        chunk = posts[start : start + AT_ONCE]
        numbers = await _ask(channel, chunk)
        await database.transact(_record, chunk, numbers, cost, clock)
    return len(posts)


async def _ask(channel: Channel, posts: Sequence[Post]) -> Mapping[str, Numbers]:
    return await channel.measure([post.remote_id or "" for post in posts])


def cost_of_reading(capabilities: Capabilities) -> int:
    """Return what a network takes for one post read, in millionths of a US dollar."""
    return int(capabilities.fees.read * 1_000_000) if capabilities.fees else 0


def affordable(
    session: Session, account: ChannelAccount, cost: int, clock: Clock
) -> int | None:
    """Return how many posts the account's budget allows to read; None if any."""
    if account.budget_cents is None:
        return None
    spent = spent_micros(session, account.id, now=clock())
    return max(0, (account.budget_cents * MICROS_PER_CENT - spent) // cost)


def _record(
    session: Session,
    posts: Sequence[Post],
    numbers: Mapping[str, Numbers],
    cost: int,
    clock: Clock,
) -> None:
    """Keep what was told; a post that is gone was asked about all the same."""
    for post in posts:
        told = numbers.get(post.remote_id or "", Numbers())
        reading = Reading(told.likes, told.reposts, told.replies, told.views, cost)
        record_reading(session, post.id, reading, now=clock())
