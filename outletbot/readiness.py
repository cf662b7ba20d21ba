"""Readiness: the light that each planned post shows, with its network's terms.

No network is asked: a post is made as it would be, and what its network is known to
take is held against it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlmodel import Session

from offers.accounts import ChannelAccount
from offers.honesty_seasons import Season, seasons
from offers.honesty_words import why_out_of_season
from offers.pictures import Picture
from offers.planned import Plan, due_of, read_plans, read_reductions
from offers.prices import Reduction
from offers.readiness import Finding, Light, Terms, find_obstacles, worst
from offers.retailers import Retailer, get_retailer
from offers.sentences import Sentence
from offers.templates import PostTemplate, templates
from outletbot.channels import Channel, Rejected
from outletbot.db import Database
from outletbot.drafting import Matter, draft_post
from outletbot.known_networks import network_name
from outletbot.networks import Networks
from outletbot.sealing import CannotOpen

SEALED_OTHERWISE = Sentence(
    "The token cannot be opened with this installation's key. Connect again."
)


@dataclass(frozen=True, slots=True)
class Readiness:
    """What a planned post shows: its *light*, and each reason for it in words."""

    light: Light
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Prospect:
    """All of a retailer's planned posts, and what they are worded with."""

    retailer: Retailer
    plans: Sequence[Plan]
    templates: Sequence[PostTemplate]
    reductions: Mapping[str, Reduction | None]
    seasons: Sequence[Season] = ()


async def read_lights(
    database: Database,
    networks: Networks,
    retailer_id: str,
    *,
    public_url: str,
    deal_id: str = "",
    now: datetime,
) -> dict[str, Readiness]:
    """Return the lights of a retailer's planned posts, or of one deal's, by their ids.

    What the posts of other deals take up of rates and budgets counts all the same.
    """
    prospect = await database.read(read_prospect, retailer_id, deal_id, now=now)
    return judge(prospect, networks, public_url=public_url, now=now)


def read_prospect(
    session: Session, retailer_id: str, deal_id: str = "", *, now: datetime
) -> Prospect:
    retailer = get_retailer(session, retailer_id)
    plans = read_plans(session, retailer_id, now=now)
    wanted = [plan for plan in plans if deal_id in ("", plan.deal.id)]
    return Prospect(
        retailer,
        wanted,
        templates(session, retailer_id, retailer.language),
        read_reductions(session, [plan.deal for plan in wanted]),
        seasons(session, retailer, around=now.astimezone(retailer.zone).date()),
    )


def judge(
    prospect: Prospect, networks: Networks, *, public_url: str, now: datetime
) -> dict[str, Readiness]:
    """Return the light of each planned post, by the posts' ids."""
    channels: dict[str, Channel | Finding] = {}
    lights = {}
    for plan in prospect.plans:
        account = plan.account
        if account.id not in channels:
            channels[account.id] = _open(networks, account)
        channel = channels[account.id]
        if isinstance(channel, Finding):
            found = [channel, *find_obstacles(plan, Terms(), now=now)]
        else:
            terms = _terms(prospect, plan, channel, public_url, now)
            found = find_obstacles(plan, terms, now=now)
        lights[plan.post.id] = Readiness(worst(found), tuple(found))
    return lights


def _open(networks: Networks, account: ChannelAccount) -> Channel | Finding:
    try:
        return networks.channel(account)
    except CannotOpen:
        return Finding(Light.STUCK, SEALED_OTHERWISE)
    except Rejected as gone:
        sentence = Sentence("It cannot be made: {why}", why=str(gone))
        return Finding(Light.STUCK, sentence)


def _terms(
    prospect: Prospect, plan: Plan, channel: Channel, public_url: str, now: datetime
) -> Terms:
    capabilities, post = channel.capabilities, plan.post
    needs = capabilities.images.least > 0 and not post.answers_id
    lacks = needs and plan.picture_id is None
    fees = capabilities.fees
    dollars = fees.post_with_link if fees else Decimal(0)
    return Terms(
        network=network_name(plan.account.kind),
        needs_picture=needs,
        rates=[(rate.times, rate.per) for rate in capabilities.posts],
        cost_micros=int(dollars * 1_000_000),
        refusal="" if lacks else _refusal(prospect, plan, channel, public_url, now),
    )


def _refusal(
    prospect: Prospect, plan: Plan, channel: Channel, public_url: str, now: datetime
) -> str:
    """Make the post as it would be. Return why that cannot be done, or nothing."""
    matter = Matter(
        plan.post,
        plan.deal,
        prospect.retailer,
        plan.account,
        _placeholder(plan),
        prospect.reductions[plan.deal.id],
        plan.post.answers_id or "",
        prospect.templates,
    )
    try:
        draft = draft_post(matter, channel, public_url=public_url)
    except Rejected as refusal:
        return str(refusal)
    text, due_at = draft.text.replace(plan.post.code, ""), due_of(plan.post, now)
    found, zone = prospect.seasons, prospect.retailer.zone
    why = why_out_of_season(text, found, zone, start=due_at, end=due_at)
    return "" if why is None else str(why)


def _placeholder(plan: Plan) -> Picture | None:
    """Return a picture without its bytes: that there is one is all that matters."""
    if plan.picture_id is None:
        return None
    return Picture(
        id=plan.picture_id,
        retailer_id=plan.post.retailer_id,
        sha256="",
        width=1,
        height=1,
        content=b"",
        created_at=plan.deal.created_at,
    )
