"""Readiness: whether a planned post will go out at its time, and if not, why.

What speaks against it is found long before: a person can still mend it then. Nothing is
asked of a network here; what is known of its terms is handed in.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from offers.accounts import OUTLET, ChannelAccount, Show
from offers.allowances import MICROS_PER_CENT, MONTH
from offers.follow_ups import is_worth_saying, unsold
from offers.planned import Plan, Sending, due_of
from offers.posting import LATE
from offers.posts import PostKind, PostState
from offers.sentences import Sentence

PROVED = timedelta(days=2)
"""An account that its network has not known for so long needs a look."""

CLOCK = timedelta(seconds=5)
"""A worker's clock that is off by more is worth a word."""


class Light(StrEnum):
    """Green: it goes out as far as we know; amber: look; red: it will not go out."""

    READY = "ready"
    LOOK = "look"
    STUCK = "stuck"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that speaks against a post, with what to do about it."""

    light: Light
    sentence: Sentence


@dataclass(frozen=True, slots=True)
class Terms:
    """What the network of a post wants.

    *rates* is how often it lets an account post, *cost_micros* what it takes for a
    post, in millionths of a US dollar. *refusal* is why the post cannot be made, or
    empty.
    """

    network: str = ""
    needs_picture: bool = False
    rates: Sequence[tuple[int, timedelta]] = ()
    cost_micros: int = 0
    refusal: str = ""


def worst(findings: Iterable[Finding]) -> Light:
    """Return the light that a post shows: green if nothing was found."""
    lights = {finding.light for finding in findings}
    for light in (Light.STUCK, Light.LOOK):
        if light in lights:
            return light
    return Light.READY


def find_obstacles(plan: Plan, terms: Terms, *, now: datetime) -> list[Finding]:
    """Return all that speaks against a planned post, the worst first."""
    found = [
        *_of_deal(plan, now),
        *_of_people(plan),
        *_of_account(plan, now),
        *_of_content(plan, terms),
        *_of_limits(plan, terms, now),
        *_of_worker(plan, now),
        *_of_delay(plan, now),
    ]
    return sorted(found, key=lambda finding: finding.light is not Light.STUCK)


def _stuck(template: Sentence) -> Finding:
    return Finding(Light.STUCK, template)


def _look(template: Sentence) -> Finding:
    return Finding(Light.LOOK, template)


def _of_deal(plan: Plan, now: datetime) -> Iterator[Finding]:
    deal, units = plan.deal, unsold(plan.deal)
    if plan.post.kind is PostKind.OVER:
        return
    if not is_worth_saying(plan.post.kind, deal, now=now):
        over = plan.post.kind is PostKind.ANNOUNCEMENT
        yield _stuck(
            Sentence("The deal is over: there is nothing to announce.")
            if over
            else Sentence("What it says is not true of the deal now.")
        )
    elif units <= 0 or plan.stock == 0:
        yield _stuck(Sentence("Nothing is left in stock: the deal has no units."))
    elif plan.stock is not None and plan.stock < units:
        yield _look(
            Sentence(
                "Your stock has {stock} left, and the deal offers {units}.",
                stock=plan.stock,
                units=units,
            )
        )


def _of_people(plan: Plan) -> Iterator[Finding]:
    if plan.post.state is PostState.UNAPPROVED:
        yield _stuck(Sentence("A second person has to approve it first."))
    if plan.posts_paused:
        yield _stuck(Sentence("All posts are paused: let them go on."))
    if plan.account.paused and plan.account.disconnected_at is None:
        yield _stuck(Sentence("This channel is paused: let it go on."))


def _of_account(plan: Plan, now: datetime) -> Iterator[Finding]:
    account, due_at = plan.account, due_of(plan.post, now)
    if account.kind == OUTLET:
        return
    if account.disconnected_at is not None:
        yield _stuck(Sentence("This channel is disconnected. Connect it again."))
        return
    if account.trouble:
        trouble = account.trouble
        yield _stuck(Sentence("This channel needs a look: {why}", why=trouble))
    yield from _of_token(account, due_at)
    if account.proved_at is None or account.proved_at <= now - PROVED:
        yield _look(
            Sentence(
                "For two days the network has not said that it knows this channel:"
                " test it."
            )
        )
    if account.rest_until is not None and account.rest_until > due_at:
        yield _look(Sentence("The network wants a pause: it goes out after that."))


def _of_token(account: ChannelAccount, due_at: datetime) -> Iterator[Finding]:
    """Find out whether the account is open at the time, renewed by then if need be."""
    ends_at = account.ends_at
    if ends_at is not None and ends_at <= due_at:
        yield _stuck(
            Sentence("Its access ends before the post is due: connect it again.")
        )
    elif account.refresh_at is not None and account.refresh_attempts:
        yield _look(Sentence("Its access could not be renewed yet; we go on trying."))
    elif (
        account.refresh_at is None
        and account.expires_at is not None
        and account.expires_at <= due_at + LATE
    ):
        yield _look(Sentence("Its access ends right after the post: connect it again."))


def _of_content(plan: Plan, terms: Terms) -> Iterator[Finding]:
    if plan.picture_id is None and terms.needs_picture:
        yield _stuck(
            Sentence(
                "{network} needs a picture: add one to the offer.",
                network=terms.network,
            )
        )
    elif plan.picture_id is None and plan.account.show is not Show.NOTHING:
        yield _look(Sentence("There is no picture: add one to the offer."))
    if terms.refusal:
        yield _stuck(Sentence("It cannot be made: {why}", why=terms.refusal))


def _of_limits(plan: Plan, terms: Terms, now: datetime) -> Iterator[Finding]:
    due_at = due_of(plan.post, now)
    before = _before(plan, due_at)
    for times, span in terms.rates:
        within = [one.at for one in before if one.at > due_at - span]
        if len(within) < times:
            continue
        free_at = within[len(within) - times] + span
        facts = {"times": times, "due": len(within) + 1}
        if free_at >= plan.deal.closes_at:
            yield _stuck(
                Sentence(
                    "The network takes {times} posts in this time and this is number"
                    " {due}: the deal is over before its turn comes.",
                    **facts,
                )
            )
        else:
            yield _look(
                Sentence(
                    "The network takes {times} posts in this time and this is number"
                    " {due}: it goes out later.",
                    **facts,
                )
            )
    yield from _of_budget(plan, terms, before, due_at)


def _of_budget(
    plan: Plan, terms: Terms, before: Sequence[Sending], due_at: datetime
) -> Iterator[Finding]:
    """What is due before it is paid for before it, out of the same budget."""
    budget = plan.account.budget_cents
    if budget is None or not terms.cost_micros:
        return
    recent = [one for one in before if one.at > due_at - MONTH]
    costs = [
        terms.cost_micros if one.cost_micros is None else one.cost_micros
        for one in recent
    ]
    if sum(costs) + terms.cost_micros > budget * MICROS_PER_CENT:
        yield _stuck(
            Sentence("The budget of this channel for 30 days does not allow it.")
        )


def _before(plan: Plan, due_at: datetime) -> Sequence[Sending]:
    """Return what the account sends before this post, in its order."""
    order = [(one.at, one.post_id) for one in plan.sendings]
    place = bisect_left(order, (due_at, plan.post.id))
    return [one for one in plan.sendings[:place] if one.post_id != plan.post.id]


def _of_worker(plan: Plan, now: datetime) -> Iterator[Finding]:
    beat = plan.beat
    if beat is None or not beat.is_alive(now):
        yield _stuck(no_worker())
    elif abs(beat.ahead) > CLOCK:
        yield _look(
            Sentence(
                "The clock of the machine that posts is {seconds} s off. The"
                " database's is used instead.",
                seconds=round(abs(beat.ahead).total_seconds()),
            )
        )


def no_worker() -> Sentence:
    return Sentence("No worker is running, so nothing goes out: start one.")


def _of_delay(plan: Plan, now: datetime) -> Iterator[Finding]:
    """What was put off says why; what is late says at least that."""
    if plan.post.failure:
        why = plan.post.failure
        yield _look(Sentence("It was put off and is tried again: {why}", why=why))
    elif plan.post.first_due_at <= now - LATE:
        yield _look(Sentence("It is late."))
