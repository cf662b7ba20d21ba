"""People: who works at a retailer, invited by its owner with a link shown once."""

from collections.abc import Collection
from datetime import datetime

from aiohttp import web
from sqlmodel import Session

from offers.errors import InvalidField, WrongState
from offers.merchants import Merchant, Role, add_merchant, invite, set_language
from offers.scope import get_own
from offers.sentences import Sentence
from outletbot.keys import CLOCK, DATABASE, MERCHANT, RETAILER, SETTINGS
from outletbot.languages import LANGUAGES
from outletbot.web.desk.settings import settings_page
from outletbot.web.forms import Form, read_text

routes = web.RouteTableDef()


@routes.post("/settings/people")
async def add_person(request: web.Request) -> web.Response:
    """Let somebody in; their link is in the answer and nowhere else."""
    _only_owners(request)
    form, now = await request.post(), request.app[CLOCK]()
    try:
        email = read_text(form, "email", longest=254, needed=True)
        name = read_text(form, "person", longest=100, needed=True)
        role = Role(_chosen(form, "role", list(Role)))
        token = await request.app[DATABASE].transact(
            _add, request[RETAILER].id, email, name, role, now=now
        )
    except InvalidField as problem:
        return await settings_page(request, typed=form, problem=problem)
    return await _show_link(request, token, name)


@routes.post("/settings/people/{merchant_id}/invitation")
async def invite_again(request: web.Request) -> web.Response:
    """Give somebody a new link, who lost theirs or their password."""
    _only_owners(request)
    database, now = request.app[DATABASE], request.app[CLOCK]()
    merchant_id, retailer = request.match_info["merchant_id"], request[RETAILER]
    merchant = await database.read(get_own, Merchant, retailer.id, merchant_id)
    token = await database.transact(invite, merchant, now=now)
    return await _show_link(request, token, merchant.name)


@routes.post("/settings/language")
async def choose_reading(request: web.Request) -> web.Response:
    """Keep in which language a merchant reads these pages, whatever posts are in."""
    form = await request.post()
    try:
        language = _chosen(form, "reading", LANGUAGES)
    except InvalidField as problem:
        return await settings_page(request, typed=form, problem=problem)
    await request.app[DATABASE].transact(set_language, request[MERCHANT].id, language)
    raise web.HTTPSeeOther("/settings")


async def _show_link(request: web.Request, token: str, name: str) -> web.Response:
    link = f"{request.app[SETTINGS].public_url}/invitations/{token}"
    return await settings_page(request, link=link, invited=name)


def _only_owners(request: web.Request) -> None:
    if request[MERCHANT].role is not Role.OWNER:
        raise WrongState(Sentence("Only an owner can invite people."))


def _chosen(form: Form, field: str, choices: Collection[str]) -> str:
    text = read_text(form, field, longest=20)
    if text not in choices:
        raise InvalidField(field, Sentence("Choose from the list."), text)
    return text


def _add(
    session: Session,
    retailer_id: str,
    email: str,
    name: str,
    role: Role,
    *,
    now: datetime,
) -> str:
    merchant = add_merchant(session, retailer_id, email, name=name, role=role, now=now)
    return invite(session, merchant, now=now)
