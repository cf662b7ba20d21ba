"""What a planned deal would earn, may claim, and would look like where it is posted."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlmodel import Session

from offers.accounts import OUTLET, ChannelAccount, accounts
from offers.catalog import Offer
from offers.deals import Deal
from offers.evidence import Evidence, find_evidence
from offers.honesty_costs import CostCheck, compare_cost
from offers.money import Money
from offers.pictures import Picture
from offers.planning import DealPlan
from offers.posts import Post
from offers.prices import Reduction
from offers.retailers import Retailer
from offers.templates import templates
from outletbot.drafting import Matter
from outletbot.known_networks import NETWORKS
from outletbot.networks import Networks
from outletbot.web.desk.post_preview import (
    CODE,
    PostPreview,
    preview_post,
    stranger,
    strangers,
)


@dataclass(frozen=True, slots=True)
class Preview:
    """*posts* are those that would go out, *others* what it would be elsewhere."""

    deal: Deal
    shop_price: Money
    cost: CostCheck | None
    evidence: Evidence
    posts: Sequence[PostPreview]
    others: Sequence[PostPreview] = ()

    @property
    def margin(self) -> Money | None:
        """What a unit brings over its cost; without tax if its rate is known."""
        return None if self.cost is None else self.cost.compared - self.cost.cost

    @property
    def under_cost(self) -> bool:
        return self.cost is not None and self.cost.under

    @property
    def margin_share(self) -> float | None:
        if self.margin is None:
            return None
        return self.margin.amount / self.deal.price_amount

    @property
    def discount_share(self) -> float:
        """How much less than in the shop, from 0 to 1; for the merchant's eyes."""
        return 1 - self.deal.price_amount / self.shop_price.amount

    @property
    def takings(self) -> Money:
        return self.deal.price * self.deal.allotment


def preview(
    session: Session,
    retailer: Retailer,
    offer: Offer,
    plan: DealPlan,
    networks: Networks,
    *,
    public_url: str,
    now: datetime,
    everywhere: bool = False,
) -> Preview:
    """Return what is known of a plan before it is a deal; nothing is kept.

    With *everywhere* it is shown on the networks too where the retailer has no account.
    """
    deal = _sketch(retailer, offer, plan, now)
    evidence = find_evidence(session, deal)
    matter = _matter_of(session, retailer, deal, offer, evidence.reduction)
    mine = [a for a in accounts(session, retailer.id) if _goes_out(a)]
    others = strangers(retailer.id, mine, now=now) if everywhere else []

    def show(account: ChannelAccount) -> PostPreview:
        there = replace(matter, account=account)
        return preview_post(there, networks, public_url=public_url)

    cost = compare_cost(retailer, offer, deal.price)
    posts, elsewhere = [show(a) for a in mine], [show(a) for a in others]
    return Preview(deal, offer.price, cost, evidence, posts, elsewhere)


def _goes_out(account: ChannelAccount) -> bool:
    connected = account.disconnected_at is None and not account.paused
    return connected and (account.kind == OUTLET or account.kind in NETWORKS)


def _matter_of(
    session: Session,
    retailer: Retailer,
    deal: Deal,
    offer: Offer,
    reduction: Reduction | None,
) -> Matter:
    """Return what the announcement is made of, for an account yet to be named."""
    post = Post(
        id="post_preview",
        retailer_id=retailer.id,
        deal_id=deal.id,
        account_id="",
        channel="",
        code=CODE,
        due_at=deal.opens_at,
        first_due_at=deal.opens_at,
    )
    picture = session.get(Picture, offer.picture_id) if offer.picture_id else None
    nowhere = stranger(retailer.id, "", now=deal.created_at)
    own = templates(session, retailer.id, retailer.language)
    return Matter(post, deal, retailer, nowhere, picture, reduction, templates=own)


def _sketch(retailer: Retailer, offer: Offer, plan: DealPlan, now: datetime) -> Deal:
    return Deal(
        id="deal_preview",
        retailer_id=retailer.id,
        offer_id=offer.id,
        title=plan.title or offer.title,
        pitch=plan.pitch,
        price_amount=plan.price.amount,
        currency=plan.price.currency,
        allotment=plan.units,
        limit_per_shopper=plan.limit_per_shopper,
        hold_minutes=plan.hold_minutes,
        opens_at=plan.opens_at,
        closes_at=plan.closes_at,
        created_at=now,
    )
