"""Counting: the report, from what the rows, the shoppers and Stripe say."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlmodel import Session

from offers.audits import Kept, Money, Units, holds_kept, money_of_deal, units_of_deal
from offers.deals import Deal
from offers.posts import Post, PostState, posts_of_deal
from offers.reports import More, Report
from outletbot.rehearsing.diary import Diary, Kind, percentile
from outletbot.rehearsing.watching import Watch, balance_of
from outletbot.sandbox.mastodon_state import MastodonSandbox
from outletbot.sandbox.stripe_state import StripeSandbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """Everything that the copy knows of the deal when it is over."""

    deal: Deal
    units: Units
    holds: Sequence[Kept]
    money: Money
    posts: Sequence[Post]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What was asked for."""

    shoppers: int
    web: int
    faults: bool
    seed: int
    database: str


def read_records(session: Session, retailer_id: str, deal_id: str) -> Records:
    return Records(
        deal=session.get_one(Deal, deal_id),
        units=units_of_deal(session, deal_id),
        holds=holds_kept(session, deal_id),
        money=money_of_deal(session, deal_id),
        posts=posts_of_deal(session, retailer_id, deal_id),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Witnesses:
    """Who saw the rehearsal: the shoppers, whoever watched, and the other companies."""

    diary: Diary
    watch: Watch
    stripe: StripeSandbox
    mastodon: MastodonSandbox
    errors_logged: int
    mishaps: Counter[str]


def count(setting: Setting, records: Records, seen: Witnesses) -> Report:
    """Return the report."""
    paid = _payments(seen.stripe)
    retired = _retired_after(records)
    return Report(
        units=records.units.offered,
        sold=records.units.sold,
        oversold=max(seen.watch.beyond, records.units.beyond),
        payments=len(paid),
        orders=len(records.money.ordered),
        refunds=records.money.refunds,
        payments_unaccounted=sum(not records.money.knows(one) for one in paid),
        seconds_to_sold_out=_since_opening(records.deal),
        seconds_to_settled=seen.watch.settled_after,
        posts_retired_ms=max(retired, default=None),
        ledger_difference=balance_of(seen.stripe) - records.money.net,
        more=_more(setting, records, seen),
    )


def _more(setting: Setting, records: Records, seen: Witnesses) -> More:
    diary, deal = seen.diary, records.deal
    peak, mean = _pace(records.holds, records.units.offered)
    pages, claims = diary.times[Kind.PAGE], diary.times[Kind.CLAIM]
    kept = {(hold.key, hold.token) for hold in records.holds}
    promised = {(key, one) for key, tokens in diary.promised.items() for one in tokens}
    states = Counter(post.state for post in records.posts)
    return More(
        deal=deal.id,
        title=deal.title,
        currency=deal.currency,
        database=setting.database,
        shoppers=setting.shoppers,
        web=setting.web,
        faults=setting.faults,
        seed=setting.seed,
        allotment=deal.allotment,
        holds=len(records.holds),
        lost=len(promised - kept),
        doubled=diary.doubled,
        adrift=records.units.adrift,
        holds_per_second_peak=peak,
        holds_per_second_mean=mean,
        pages=len(pages),
        page_p50_ms=_ms(percentile(pages, 0.50)),
        page_p99_ms=_ms(percentile(pages, 0.99)),
        claims=len(claims),
        claim_p50_ms=_ms(percentile(claims, 0.50)),
        claim_p99_ms=_ms(percentile(claims, 0.99)),
        double_taps=diary.counts["double_taps"],
        busy=diary.counts["busy"],
        broken_off=diary.counts["broken_off"],
        refused=diary.counts["refused"],
        payment_page_p50_seconds=round(percentile(diary.waits, 0.50), 2),
        payment_page_last_seconds=round(max(diary.waits, default=0.0), 2),
        posts=len(records.posts),
        posts_failed=states[PostState.FAILED] + states[PostState.SKIPPED],
        posts_twice=_posted_twice(seen.mastodon, records.posts),
        posts_retired_p50_ms=_middle(_retired_after(records)),
        errors_logged=seen.errors_logged,
        mishaps=dict(seen.mishaps),
        shopper_counts=dict(diary.counts),
        unsettled={} if seen.watch.settled_after else dict(seen.watch.unsettled),
        series=seen.watch.series,
    )


def _payments(stripe: StripeSandbox) -> set[str]:
    """Return the ids of the payments that Stripe took."""
    charges = stripe.account().all("charge")
    return {charge["payment_intent"] for charge in charges if charge["paid"]}


def _since_opening(deal: Deal) -> float | None:
    if deal.sold_out_at is None:
        return None
    return round((deal.sold_out_at - deal.opens_at).total_seconds(), 2)


def _pace(holds: Sequence[Kept], units: int) -> tuple[int, float]:
    """Return the most holds in a second, and the mean until all units were held."""
    if not holds:
        return 0, 0.0
    first = holds[0].held_at
    each = Counter(int((hold.held_at - first).total_seconds()) for hold in holds)
    rush = list(_until_all_held(holds, units))
    lasted = (rush[-1].held_at - first).total_seconds()
    return max(each.values()), round(len(rush) / max(lasted, 1.0), 1)


def _until_all_held(holds: Iterable[Kept], units: int) -> Iterator[Kept]:
    for hold in holds:
        if units <= 0:
            return
        units -= hold.quantity
        yield hold


def _retired_after(records: Records) -> list[float]:
    """Return how many ms after the last unit was sold each post said so."""
    out = records.deal.sold_out_at
    if out is None:
        return []
    return [
        _ms((post.retired_at - out).total_seconds() * 1_000)
        for post in records.posts
        if post.state is PostState.RETIRED and post.retired_at is not None
    ]


def _posted_twice(mastodon: MastodonSandbox, posts: Sequence[Post]) -> int:
    """Return how many posts are on the network more often than once."""
    texts = [status.versions[0].text for status in mastodon.statuses.values()]
    found = (sum(post.code in text for text in texts) for post in posts)
    return sum(times > 1 for times in found)


def _middle(values: Sequence[float]) -> float | None:
    return percentile(values, 0.50) if values else None


def _ms(milliseconds: float) -> float:
    return round(milliseconds, 1)
