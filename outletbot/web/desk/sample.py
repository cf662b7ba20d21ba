"""A sample deal, to see what texts become; nothing of it is kept."""

from datetime import datetime, timedelta

from offers.accounts import ChannelAccount
from offers.deals import Deal
from offers.money import Money
from offers.pictures import Picture
from offers.posts import Post, PostKind
from offers.prices import Reduction
from offers.retailers import Retailer
from outletbot.drafting import Matter
from outletbot.languages import translations
from outletbot.web.desk.post_preview import CODE

PRICE, PRIOR = 4_990, 9_980
UNITS = 40
SOLD = {
    PostKind.ANNOUNCEMENT: 0,
    PostKind.HALF_GONE: 20,
    PostKind.LAST_UNITS: 37,
    PostKind.ENDING: 25,
    PostKind.OVER: UNITS,
}
RUN, TOOK = timedelta(hours=3), timedelta(minutes=7)


def sample_matter(
    retailer: Retailer,
    account: ChannelAccount,
    kind: PostKind,
    language: str,
    *,
    now: datetime,
) -> Matter:
    """Return what a post of a *kind* about a sample deal of *retailer*'s is made of."""
    teller = _telling(retailer, language)
    deal = _deal(teller, kind, now)
    post = Post(
        id="post_sample",
        retailer_id=retailer.id,
        deal_id=deal.id,
        account_id=account.id,
        channel=account.kind,
        kind=kind,
        code=CODE,
        due_at=now,
        first_due_at=now,
    )
    reduction = Reduction(Money(PRIOR, deal.currency), deal.price)
    answers = "" if kind is PostKind.ANNOUNCEMENT else "announcement"
    return Matter(post, deal, teller, account, _picture(teller), reduction, answers)


def _telling(retailer: Retailer, language: str) -> Retailer:
    """Return the retailer as one who speaks *language*."""
    return Retailer(**{**retailer.model_dump(), "language": language})


def _deal(retailer: Retailer, kind: PostKind, now: datetime) -> Deal:
    gettext = translations(retailer.language).gettext
    return Deal(
        id="deal_sample",
        retailer_id=retailer.id,
        offer_id="offer_sample",
        title=gettext("Winter parka, rust, size M"),
        pitch=gettext("A colour of last season, as warm as ever."),
        price_amount=PRICE,
        currency=retailer.currency,
        allotment=UNITS,
        sold=SOLD[kind],
        opens_at=now,
        closes_at=now + RUN,
        created_at=now,
        sold_out_at=now + TOOK if kind is PostKind.OVER else None,
    )


def _picture(retailer: Retailer) -> Picture:
    return Picture(
        id="picture_sample",
        retailer_id=retailer.id,
        sha256="",
        width=1,
        height=1,
        content=b"",
        created_at=retailer.created_at,
    )
