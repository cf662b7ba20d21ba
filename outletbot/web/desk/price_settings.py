"""Price settings: by which rule a price before is reckoned, and what goes with it."""

from datetime import date
from http import HTTPStatus

import structlog
from aiohttp import web
from sqlmodel import Session

from offers.errors import InvalidField
from offers.honesty import (
    FEWEST_USUAL_DAYS,
    MOST_USUAL_DAYS,
    Rule,
    law_of,
    rule_of,
    rules_for,
)
from offers.honesty_seasons import Part, Season, seasons, set_season, unset_season
from offers.retailers import Retailer, get_retailer
from offers.sentences import Sentence
from outletbot.keys import CLOCK, DATABASE, MERCHANT, RETAILER
from outletbot.web.forms import Form, read_int, read_text
from outletbot.web.rendering import page

WHOLE = 10_000  # hundredths of a percent
SHOWN = 3

log = structlog.get_logger(__name__)
routes = web.RouteTableDef()


@routes.get("/settings/prices")
async def show_price_settings(request: web.Request) -> web.Response:
    return await _settings_page(request)


@routes.post("/settings/prices")
async def save_price_settings(request: web.Request) -> web.Response:
    """Keep the rule, and the rate of tax that a price is compared with a cost by."""
    form = await request.post()
    try:
        rule, days, points = _read(form, request[RETAILER])
    except InvalidField as problem:
        return await _settings_page(request, form, problem)
    retailer_id, merchant_id = request[RETAILER].id, request[MERCHANT].id
    await request.app[DATABASE].transact(_keep, retailer_id, rule, days, points)
    log.info("price_rule_chosen", retailer=retailer_id, by=merchant_id, rule=rule.value)
    raise web.HTTPSeeOther("/settings/prices")


@routes.post("/settings/prices/seasons")
async def save_season(request: web.Request) -> web.Response:
    """Keep the days of one season, or go back to those of the law."""
    form, database = await request.post(), request.app[DATABASE]
    retailer = request[RETAILER]
    try:
        season = _read_season(form, retailer)
        if form.get("action") == "reset":
            await database.transact(unset_season, retailer, season.year, season.part)
        else:
            await database.transact(
                set_season,
                retailer,
                season,
                set_by=request[MERCHANT].id,
                now=request.app[CLOCK](),
            )
    except InvalidField as problem:
        return await _settings_page(request, form, problem)
    raise web.HTTPSeeOther("/settings/prices#seasons")


def _read(form: Form, retailer: Retailer) -> tuple[Rule, int, int | None]:
    allowed = {rule.value: rule for rule in rules_for(retailer.country)}
    chosen = read_text(form, "price_rule", longest=20)
    if chosen not in allowed:
        raise InvalidField("price_rule", Sentence("Choose from the list."), chosen)
    days = retailer.usual_days
    if "usual_days" in form:
        most = MOST_USUAL_DAYS
        days = read_int(form, "usual_days", minimum=FEWEST_USUAL_DAYS, maximum=most)
    return allowed[chosen], days, _read_points(form)


def _read_points(form: Form) -> int | None:
    """Return a rate such as 20 or 5.5 in hundredths of a percent; none is fine."""
    text = read_text(form, "tax_rate", longest=6).replace(",", ".")
    if not text:
        return None
    whole, _, part = text.partition(".")
    digits = f"{whole}{part}"
    fine = whole and digits.isascii() and digits.isdigit() and len(part) <= 2
    points = int(whole) * 100 + int(part.ljust(2, "0")) if fine else WHOLE
    if points >= WHOLE:
        problem = Sentence("Enter a rate such as 20 or 5.5.")
        raise InvalidField("tax_rate", problem, text)
    return points


def _read_season(form: Form, retailer: Retailer) -> Season:
    part = read_text(form, "part", longest=10)
    year = read_int(form, "year", minimum=2020, maximum=2100)
    if not law_of(retailer.country).seasons or part not in list(Part):
        raise InvalidField("part", Sentence("Choose from the list."), part)
    field = f"{part}_{year}"
    begins_on = _day(form, "begins_on", field)
    return Season(year, Part(part), begins_on, _day(form, "ends_on", field))


def _day(form: Form, name: str, field: str) -> date:
    text = read_text(form, name, longest=10)
    try:
        return date.fromisoformat(text)
    except ValueError:
        problem = Sentence("Enter a day such as 2026-11-30.")
        raise InvalidField(field, problem, text) from None


def _keep(
    session: Session, retailer_id: str, rule: Rule, days: int, points: int | None
) -> None:
    retailer = get_retailer(session, retailer_id)
    own = law_of(retailer.country).usual
    retailer.price_rule = "" if rule is own else rule.value
    retailer.usual_days, retailer.tax_points = days, points


async def _settings_page(
    request: web.Request,
    form: Form | None = None,
    problem: InvalidField | None = None,
) -> web.Response:
    database, now = request.app[DATABASE], request.app[CLOCK]()
    retailer = await database.read(get_retailer, request[RETAILER].id)
    today = now.astimezone(retailer.zone).date()
    found = await database.read(seasons, retailer, around=today)
    typed = {n: v for n, v in (form or {}).items() if isinstance(v, str)}
    first = {
        "price_rule": rule_of(retailer).value,
        "usual_days": str(retailer.usual_days),
        "tax_rate": _rate(retailer.tax_points),
    }
    return page(
        request,
        "desk/price_settings.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
        retailer=retailer,
        values={**first, **typed},
        problems={problem.field: problem.sentence} if problem else {},
        rules=rules_for(retailer.country),
        own=law_of(retailer.country).usual,
        seasons=[one for one in found if one.ends_on >= today][:SHOWN],
        few=FEWEST_USUAL_DAYS,
        many=MOST_USUAL_DAYS,
    )


def _rate(points: int | None) -> str:
    return "" if points is None else f"{points / 100:g}"
