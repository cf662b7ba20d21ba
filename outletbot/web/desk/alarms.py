"""Alarms: what a person has to look at, with what to do about it.

That is money, posts that do not go out as they should, and channels in trouble.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from aiohttp import web
from aiohttp.typedefs import Handler
from sqlmodel import Session

from offers.disputes import Dispute, open_disputes
from offers.payment_accounts import find_payment_account
from offers.refunds import Refund, troubled_refunds
from outletbot.config import Settings
from outletbot.keys import CLOCK, DATABASE, MERCHANT, RETAILER
from outletbot.post_alarms import BANNER, PostAlarms, read_post_alarms
from outletbot.web.desk.dashboard import payment_address


@dataclass(frozen=True, slots=True)
class DisputeAlarm:
    """A dispute that is not decided; *address* is where it is answered."""

    dispute: Dispute
    address: str
    remaining: timedelta | None

    @property
    def overdue(self) -> bool:
        late = self.remaining is not None and self.remaining <= timedelta()
        return self.dispute.to_answer and late


@dataclass(frozen=True, slots=True)
class Alarms:
    refunds: tuple[Refund, ...]
    disputes: tuple[DisputeAlarm, ...]
    posting: PostAlarms = field(default_factory=PostAlarms)

    def of_order(self, order_id: str) -> "Alarms":
        """Return those that are about one order."""
        return Alarms(
            tuple(one for one in self.refunds if one.order_id == order_id),
            tuple(one for one in self.disputes if one.dispute.order_id == order_id),
        )


def read_alarms(
    session: Session, retailer_id: str, settings: Settings, *, now: datetime
) -> Alarms:
    """Return what a retailer's people have to look at, the most urgent first."""
    return Alarms(
        refunds=tuple(troubled_refunds(session, retailer_id, now=now)),
        disputes=tuple(
            _alarm(session, dispute, settings, now)
            for dispute in open_disputes(session, retailer_id)
        ),
        posting=read_post_alarms(session, retailer_id, now=now),
    )


@web.middleware
async def read_banner(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Bring along the alarms for a page of the desk, if somebody looks at one."""
    if request.method in {"GET", "POST"} and MERCHANT in request and _is_page(request):
        alarms = await request.app[DATABASE].read(
            read_post_alarms, request[RETAILER].id, now=request.app[CLOCK]()
        )
        if alarms:
            request[BANNER] = alarms
    return await handler(request)


def _is_page(request: web.Request) -> bool:
    """Whether a browser wants something to show, and not to follow or to draw."""
    return "text/html" in request.headers.get("Accept", "")


def _alarm(
    session: Session, dispute: Dispute, settings: Settings, now: datetime
) -> DisputeAlarm:
    account = find_payment_account(session, dispute.account_id)
    address = payment_address(settings, account, dispute.payment_id)
    remaining = None if dispute.due_by is None else _minutes(dispute.due_by - now)
    return DisputeAlarm(dispute, address, remaining)


def _minutes(span: timedelta) -> timedelta:
    """Return whole minutes, so that a page that follows is not new each second."""
    return timedelta(minutes=span // timedelta(minutes=1))
