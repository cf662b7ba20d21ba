"""Declaring: what a merchant says was charged before outletbot kept a log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from http import HTTPStatus

from aiohttp import web
from sqlmodel import Session

from offers.catalog import Offer
from offers.declarations import PriceDeclaration, declarations
from offers.declaring import declare_file, declare_offer, revoke_declaration
from offers.errors import InvalidField
from offers.evidence import Evidence, find_offer_evidence
from offers.imports import FeedImport
from offers.scope import get_own
from offers.sentences import Sentence
from outletbot.keys import CLOCK, DATABASE, LANGUAGE, MERCHANT, RETAILER
from outletbot.web.desk.evidence_chart import price_charts
from outletbot.web.forms import Form, read_amount, read_text
from outletbot.web.rendering import page

FIELDS = ("price", "from_on", "to_on", "basis", "sure", "reason")
LONGEST = 1_000
MONTH = timedelta(days=30)

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class OfferEvidence:
    """What could be announced of an offer now, and what was declared of it."""

    offer: Offer
    evidence: Evidence
    declared: Sequence[PriceDeclaration]

    @property
    def revoked(self) -> set[str | None]:
        return {one.revokes_id for one in self.declared}


@routes.get("/offers/{offer_id}/evidence")
async def show_offer_evidence(request: web.Request) -> web.Response:
    return await _offer_page(request)


@routes.post("/offers/{offer_id}/declarations")
async def declare_of_offer(request: web.Request) -> web.Response:
    """Keep what a merchant says an offer cost."""
    form, offer_id = await request.post(), request.match_info["offer_id"]
    database, now = request.app[DATABASE], request.app[CLOCK]()
    offer = await database.read(get_own, Offer, request[RETAILER].id, offer_id)
    try:
        from_on, to_on, basis = _read(form)
        await database.transact(
            declare_offer,
            request[MERCHANT],
            offer_id,
            read_amount(form, "price", offer.currency),
            from_on=from_on,
            to_on=to_on,
            basis=basis,
            now=now,
        )
    except InvalidField as problem:
        return await _offer_page(request, form, problem)
    address = f"/offers/{offer_id}/evidence"
    raise web.HTTPSeeOther(address)


@routes.get("/feeds/{import_id}/declaration")
async def show_file_form(request: web.Request) -> web.Response:
    return await _file_page(request)


@routes.post("/feeds/{import_id}/declaration")
async def declare_of_file(request: web.Request) -> web.Response:
    """Keep what a merchant says of the prices of a file."""
    form, import_id = await request.post(), request.match_info["import_id"]
    database, now = request.app[DATABASE], request.app[CLOCK]()
    await database.read(get_own, FeedImport, request[RETAILER].id, import_id)
    try:
        from_on, to_on, basis = _read(form)
        await database.transact(
            declare_file,
            request[MERCHANT],
            import_id,
            from_on=from_on,
            to_on=to_on,
            basis=basis,
            now=now,
        )
    except InvalidField as problem:
        return await _file_page(request, form, problem)
    raise web.HTTPSeeOther("/evidence#declarations")


@routes.get("/declarations/{declaration_id}")
async def show_declaration(request: web.Request) -> web.Response:
    return await _declaration_page(request)


@routes.post("/declarations/{declaration_id}/revoke")
async def take_back(request: web.Request) -> web.Response:
    """Keep that a declaration was wrong, and why."""
    form, declaration_id = await request.post(), request.match_info["declaration_id"]
    reason, now = form.get("reason", ""), request.app[CLOCK]()
    text = reason.replace("\0", "") if isinstance(reason, str) else ""
    try:
        await request.app[DATABASE].transact(
            revoke_declaration, request[MERCHANT], declaration_id, text, now=now
        )
    except InvalidField as problem:
        return await _declaration_page(request, form, problem)
    raise web.HTTPSeeOther("/evidence#declarations")


def _read(form: Form) -> tuple[date, date, str]:
    """Return the days and the basis, if somebody answers for them.

    Raises:
        InvalidField: If one cannot be read, or nobody does.
    """
    from_on, to_on = _day(form, "from_on"), _day(form, "to_on")
    basis = read_text(form, "basis", longest=LONGEST, needed=True)
    if form.get("sure") != "yes":
        raise InvalidField("sure", Sentence("Tick this: a declaration needs somebody."))
    return from_on, to_on, basis


def _day(form: Form, field: str) -> date:
    text = read_text(form, field, longest=10)
    try:
        return date.fromisoformat(text)
    except ValueError:
        problem = Sentence("Enter a day such as 2026-11-30.")
        raise InvalidField(field, problem, text) from None


def _typed(form: Form | None, first: Mapping[str, str]) -> dict[str, str]:
    typed = {name: first.get(name, "") for name in FIELDS}
    for name in FIELDS if form is not None else ():
        value = form.get(name, "") if form is not None else ""
        typed[name] = value if isinstance(value, str) else ""
    return typed


def _first(request: web.Request) -> dict[str, str]:
    """Return what the form proposes: the 30 days up to now, or until a log begins."""
    today = request.app[CLOCK]().astimezone(request[RETAILER].zone).date()
    return {"from_on": str(today - MONTH), "to_on": str(today)}


async def _offer_page(
    request: web.Request,
    form: Form | None = None,
    problem: InvalidField | None = None,
) -> web.Response:
    now, zone = request.app[CLOCK](), request[RETAILER].zone
    found = await request.app[DATABASE].read(
        _offer_evidence, request[RETAILER].id, request.match_info["offer_id"], now=now
    )
    return _answer(
        request,
        "desk/evidence_offer.html",
        (form, problem, {**_first(request), "price": str(found.offer.price.value)}),
        found=found,
        evidence=found.evidence,
        charts=price_charts(found.evidence, zone, request[LANGUAGE]),
    )


async def _file_page(
    request: web.Request,
    form: Form | None = None,
    problem: InvalidField | None = None,
) -> web.Response:
    entry = await request.app[DATABASE].read(
        get_own, FeedImport, request[RETAILER].id, request.match_info["import_id"]
    )
    told = (form, problem, _first(request))
    return _answer(request, "desk/declare_file.html", told, entry=entry)


async def _declaration_page(
    request: web.Request,
    form: Form | None = None,
    problem: InvalidField | None = None,
) -> web.Response:
    retailer_id, key = request[RETAILER].id, request.match_info["declaration_id"]
    database = request.app[DATABASE]
    one = await database.read(get_own, PriceDeclaration, retailer_id, key)
    others = await database.read(declarations, retailer_id, subjects=[one.subject_id])
    revoked = next((each for each in others if each.revokes_id == one.id), None)
    told = (form, problem, dict[str, str]())
    return _answer(request, "desk/declaration.html", told, one=one, revoked=revoked)


def _answer(
    request: web.Request,
    template: str,
    told: tuple[Form | None, InvalidField | None, Mapping[str, str]],
    **context: object,
) -> web.Response:
    form, problem, first = told
    return page(
        request,
        template,
        status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
        values=_typed(form, first),
        problems={problem.field: problem.sentence} if problem else {},
        **context,
    )


def _offer_evidence(
    session: Session, retailer_id: str, offer_id: str, *, now: datetime
) -> OfferEvidence:
    offer = get_own(session, Offer, retailer_id, offer_id)
    subjects = [offer.id, *({offer.source} - {""})]
    return OfferEvidence(
        offer,
        find_offer_evidence(session, offer, at=now),
        declarations(session, retailer_id, subjects=subjects),
    )
