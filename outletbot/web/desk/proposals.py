"""Proposals: what ties up most cash, and what it could be let go for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web
from sqlmodel import Session

from offers.honesty_costs import compare_cost
from offers.proposals import PAGE, Overview, Proposal, overview, proposals
from offers.proposed_prices import Terms
from offers.retailers import Retailer
from offers.rules import NO_RULE, MarkdownRule, get_terms, rules
from offers.weeks import MOST_ROWS, Week, weeks
from outletbot.keys import CLOCK, DATABASE, RETAILER
from outletbot.web.rendering import page

LAST_PAGE = 10_000
ALL, NONE = "", "none"

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalsView:
    """A page of proposals, *rule_id* being what they are narrowed to."""

    found: Sequence[Proposal]
    rule_id: str
    number: int
    terms: Terms
    rules: Sequence[MarkdownRule]
    overview: Overview
    weeks: Sequence[Week]
    tax_is_missing: bool

    @property
    def more(self) -> bool:
        return len(self.found) == PAGE

    @property
    def in_all(self) -> int:
        """How many there are on all pages."""
        return sum(self.counted(number) for number in self._numbers())

    @property
    def most(self) -> int:
        """How many can be planned in one go."""
        return min(self.in_all, MOST_ROWS)

    def counted(self, number: int) -> int:
        return self.overview.of(number).offers

    def _numbers(self) -> list[int]:
        every = [NO_RULE, *range(len(self.rules))]
        if self.rule_id == NONE:
            return [NO_RULE]
        if self.rule_id:
            return [n for n, rule in enumerate(self.rules) if rule.id == self.rule_id]
        return [n for n in every if n == NO_RULE or not self.rules[n].excludes]


@routes.get("/proposals")
async def show_proposals(request: web.Request) -> web.Response:
    view = await request.app[DATABASE].read(
        read_proposals,
        request[RETAILER],
        rule_id=request.query.get("rule", "")[:100],
        number=page_number(request.query.get("page", "")),
        now=request.app[CLOCK](),
    )
    return page(request, "desk/proposals.html", view=view)


def read_proposals(
    session: Session, retailer: Retailer, *, rule_id: str, number: int, now: datetime
) -> ProposalsView:
    mine = retailer.id
    found = proposals(session, mine, now=now, rule_id=rule_id, page=number)
    checks = [compare_cost(retailer, one.offer, one.offer.price) for one in found]
    return ProposalsView(
        found=found,
        rule_id=rule_id,
        number=number,
        terms=get_terms(session, retailer.id),
        rules=rules(session, retailer.id),
        overview=overview(session, retailer.id, now=now),
        weeks=weeks(session, retailer.id),
        tax_is_missing=any(check is not None and not check.net for check in checks),
    )


def page_number(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 1
    return max(1, min(number, LAST_PAGE))
