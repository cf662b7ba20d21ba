"""Rules: how far prices may fall, for everything and for some categories or tags."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

from aiohttp import web
from sqlmodel import Session

from offers.accounts import ChannelAccount, accounts
from offers.catalog import Offer
from offers.errors import InvalidField
from offers.proposals import Overview, categories, caught_by, overview
from offers.proposed_prices import ENDINGS, PLAIN, Terms
from offers.retailers import Retailer
from offers.rules import (
    MarkdownRule,
    RuleFacts,
    RuleField,
    drop_rule,
    get_terms,
    keep_rule,
    keep_terms,
    raise_rule,
    rules,
)
from offers.scope import get_own
from offers.sentences import Sentence
from outletbot.keys import CLOCK, DATABASE, RETAILER
from outletbot.web.desk.proposals_form import key_of
from outletbot.web.forms import Form, read_int, read_text
from outletbot.web.rendering import page

LONGEST_VALUE = 200
HERE = "/proposals/rules"
Problems = Mapping[str, Sentence]

NEW_RULE: Mapping[str, Any] = {
    "rule": "",
    "field": "category",
    "value": "",
    "excludes": "",
    "markdown": "30",
    "margin": "10",
    "most_units": "",
    "channels": (),
}

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesView:
    """Everything that the page of rules shows."""

    terms: Terms
    rules: Sequence[MarkdownRule]
    overview: Overview
    categories: Sequence[str]
    accounts: Sequence[ChannelAccount]


@dataclass(frozen=True, slots=True)
class Catch:
    """What a rule would catch if it came first."""

    number: int
    some: Sequence[Offer]


@routes.get("/proposals/rules")
async def show_rules(request: web.Request) -> web.Response:
    """Show the rules, and one of them in the form if it is asked for."""
    database, mine = request.app[DATABASE], request[RETAILER].id
    rule_id = request.query.get("edit", "")
    values: Mapping[str, Any] = {}
    if rule_id:
        rule = await database.read(get_own, MarkdownRule, mine, rule_id)
        values = _values_of(rule)
    return await _rules_page(request, values)


@routes.post("/proposals/policy")
async def change_policy(request: web.Request) -> web.Response:
    """Keep what holds where no rule does."""
    form = await request.post()
    reading = Reading(form)
    terms = _read_terms(reading)
    if reading.problems:
        return await _rules_page(request, problems=reading.problems, typed=form)
    database, now = request.app[DATABASE], request.app[CLOCK]()
    await database.transact(keep_terms, request[RETAILER].id, terms, now=now)
    raise web.HTTPSeeOther(HERE)


@routes.post("/proposals/rules")
async def change_rule(request: web.Request) -> web.Response:
    """Show what a rule would catch, or keep it."""
    form = await request.post()
    reading = Reading(form)
    facts = _read_rule(reading, form.getall("channel", []))
    database, retailer = request.app[DATABASE], request[RETAILER]
    values = {**form, "channels": form.getall("channel", [])}
    if reading.problems:
        return await _rules_page(request, values, problems=reading.problems)
    if form.get("action") == "preview":
        caught = await database.read(caught_by, retailer.id, facts)
        return await _rules_page(request, values, catch=Catch(*caught))
    try:
        rule_id = key_of(form.get("rule"))
        now = request.app[CLOCK]()
        await database.transact(keep_rule, retailer.id, facts, rule_id=rule_id, now=now)
    except InvalidField as problem:
        problems = {problem.field: problem.sentence}
        return await _rules_page(request, values, problems=problems)
    raise web.HTTPSeeOther(HERE)


@routes.post("/proposals/rules/{rule_id}/remove")
async def remove_rule(request: web.Request) -> web.Response:
    rule_id, retailer = request.match_info["rule_id"], request[RETAILER]
    await request.app[DATABASE].transact(_remove, retailer.id, rule_id)
    raise web.HTTPSeeOther(HERE)


@routes.post("/proposals/rules/{rule_id}/up")
async def move_rule_up(request: web.Request) -> web.Response:
    rule_id, retailer = request.match_info["rule_id"], request[RETAILER]
    await request.app[DATABASE].transact(raise_rule, retailer.id, rule_id)
    raise web.HTTPSeeOther(HERE)


class Reading:
    """Reads field after field, and goes on after a wrong one to find them all."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self.problems: dict[str, Sentence] = {}

    def number(self, field: str, least: int, most: int) -> int:
        try:
            return read_int(self.form, field, minimum=least, maximum=most)
        except InvalidField as problem:
            self.problems[field] = problem.sentence
            return least

    def number_or_none(self, field: str, least: int, most: int) -> int | None:
        if not self.form.get(field):
            return None
        return self.number(field, least, most)

    def text(self, field: str, longest: int) -> str:
        try:
            return read_text(self.form, field, longest=longest, needed=True)
        except InvalidField as problem:
            self.problems[field] = problem.sentence
            return ""

    def one_of(self, field: str, choices: Sequence[str]) -> str:
        value = str(self.form.get(field, ""))
        if value in choices:
            return value
        self.problems[field] = Sentence("Choose one of these.")
        return choices[0]


def read_view(session: Session, retailer: Retailer, *, now: datetime) -> RulesView:
    return RulesView(
        terms=get_terms(session, retailer.id),
        rules=rules(session, retailer.id),
        overview=overview(session, retailer.id, now=now),
        categories=categories(session, retailer.id),
        accounts=accounts(session, retailer.id),
    )


async def _rules_page(
    request: web.Request,
    values: Mapping[str, Any] | None = None,
    *,
    problems: Problems | None = None,
    typed: Mapping[str, Any] | None = None,
    catch: Catch | None = None,
) -> web.Response:
    view = await request.app[DATABASE].read(
        read_view, request[RETAILER], now=request.app[CLOCK]()
    )
    wrong = HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK
    return page(
        request,
        "desk/proposals_rules.html",
        status=wrong,
        view=view,
        values={**NEW_RULE, **(values or {})},
        policy={**_policy_of(view.terms), **(typed or {})},
        problems=problems or {},
        catch=catch,
        endings=[(PLAIN, _shown(PLAIN)), *((end, _shown(end)) for end in ENDINGS)],
    )


def _shown(ending: str) -> Sentence | str:
    return f"12.{ending}" if ending else Sentence("as they come")


def _remove(session: Session, retailer_id: str, rule_id: str) -> None:
    get_own(session, MarkdownRule, retailer_id, rule_id)
    drop_rule(session, retailer_id, rule_id)


def _read_terms(reading: Reading) -> Terms:
    return Terms(
        markdown_percent=reading.number("policy_markdown", 1, 95),
        margin_percent=reading.number("policy_margin", 0, 500),
        cost_share_percent=reading.number("cost_share", 1, 100),
        ending=reading.one_of("ending", [PLAIN, *ENDINGS]),
    )


def _read_rule(reading: Reading, channels: Sequence[object]) -> RuleFacts:
    return RuleFacts(
        field=RuleField(reading.one_of("field", [kind.value for kind in RuleField])),
        value=reading.text("value", LONGEST_VALUE),
        excludes=reading.form.get("excludes") == "yes",
        markdown_percent=reading.number("markdown", 1, 95),
        margin_percent=reading.number("margin", 0, 500),
        most_units=reading.number_or_none("most_units", 1, 100_000),
        channels=tuple(key_of(one) for one in channels if "," not in key_of(one)),
    )


def _values_of(rule: MarkdownRule) -> dict[str, Any]:
    return {
        "rule": rule.id,
        "field": rule.field.value,
        "value": rule.value,
        "excludes": "yes" if rule.excludes else "",
        "markdown": str(rule.markdown_percent),
        "margin": str(rule.margin_percent),
        "most_units": "" if rule.most_units is None else str(rule.most_units),
        "channels": rule.channel_ids,
    }


def _policy_of(terms: Terms) -> dict[str, str]:
    return {
        "policy_markdown": str(terms.markdown_percent),
        "policy_margin": str(terms.margin_percent),
        "cost_share": str(terms.cost_share_percent),
        "ending": terms.ending,
    }
