"""Posts that are late or failed, and channels in trouble, are told to their retailers.

Who told is written down in the same transaction as what is told, so that each is told
once, by whichever worker sees it first.
"""

from datetime import datetime

import structlog
from sqlmodel import Session

from offers.alarms import raise_alarms
from offers.letters import write_letter
from offers.retailers import Retailer, get_retailer
from offers.troubles import AlarmKind, Troubles
from outletbot.alarm_letters import Words, word_alarms
from outletbot.clock import Clock
from outletbot.db import Database
from webhooks.messages import (
    CHANNEL_TROUBLE,
    FEED_FAILING,
    FEED_PAUSED,
    POST_FAILED,
    POST_LATE,
    channel_trouble,
    feed_trouble,
    post_trouble,
)
from webhooks.outbox import enqueue

log = structlog.get_logger(__name__)

TYPES = {
    AlarmKind.POST_LATE: POST_LATE,
    AlarmKind.POST_FAILED: POST_FAILED,
    AlarmKind.FEED_PAUSED: FEED_PAUSED,
    AlarmKind.FEED_FAILING: FEED_FAILING,
}


async def sound_alarms(
    database: Database, clock: Clock, *, public_url: str, mails: bool
) -> int:
    """Tell what is wrong and was not told yet. Return to how many retailers.

    Letters are written only if the installation *mails*.
    """
    told = await database.transact(
        _tell, public_url=public_url, mails=mails, now=clock()
    )
    for retailer_id, troubles in told.items():
        for alarm in troubles.posts:
            name = f"{alarm.kind}_alarm"
            log.error(name, post=alarm.post.id, reason=alarm.post.failure)
        for account in troubles.accounts:
            facts = {"account": account.id, "retailer": retailer_id}
            log.error("channel_trouble_alarm", **facts, reason=account.trouble)
        for feed in troubles.feeds:
            facts = {"source": feed.source.id, "retailer": retailer_id}
            name = f"{feed.kind}_alarm"
            log.error(name, **facts)
        for trouble in troubles.shops:
            facts = {"shop": trouble.shop.id, "retailer": retailer_id}
            log.error("shop_trouble_alarm", **facts, reason=trouble.reason)
    return len(told)


def _tell(
    session: Session, *, public_url: str, mails: bool, now: datetime
) -> dict[str, Troubles]:
    raised = raise_alarms(session, now=now)
    for retailer_id, troubles in raised.items():
        retailer = get_retailer(session, retailer_id)
        _tell_shop(session, retailer, troubles, now=now)
        if not (mails and retailer.alarm_email):
            continue
        if words := _word(retailer, troubles, public_url=public_url):
            write_letter(
                session,
                retailer_id,
                recipient=retailer.alarm_email,
                subject=words.subject,
                body=words.body,
                now=now,
            )
    return raised


def _word(retailer: Retailer, troubles: Troubles, *, public_url: str) -> Words | None:
    """What cannot be put in one retailer's words keeps nobody else from hearing."""
    try:
        return word_alarms(retailer, troubles, public_url=public_url)
    except Exception:
        log.exception("alarms_not_worded", retailer=retailer.id)
        return None


def _tell_shop(
    session: Session, retailer: Retailer, troubles: Troubles, *, now: datetime
) -> None:
    for alarm in troubles.posts:
        if kind := TYPES.get(alarm.kind):
            message = post_trouble(alarm.post, alarm.deal, alarm.account, now)
            enqueue(session, retailer.id, kind, message, now=now)
    for account in troubles.accounts:
        message = channel_trouble(account, now)
        enqueue(session, retailer.id, CHANNEL_TROUBLE, message, now=now)
    for feed in troubles.feeds:
        message = feed_trouble(feed.source, now)
        enqueue(session, retailer.id, TYPES[feed.kind], message, now=now)
