"""People: who works at a retailer, invited by its owner with a link shown once."""

from datetime import datetime

from aiohttp import web
from sqlmodel import Session

from offers.errors import InvalidField, WrongState
from offers.merchants import Merchant, Role, add_merchant, invite
from offers.scope import get_own
from offers.sentences import Sentence
from outletbot.keys import CLOCK, DATABASE, MERCHANT, RETAILER, SETTINGS
from outletbot.web.desk.settings import settings_page
from outletbot.web.forms import read_text

routes = web.RouteTableDef()


@routes.post("/settings/people")
async def add_person(request: web.Request) -> web.Response:
    """Let somebody in; their link is in the answer and nowhere else."""
    _only_owners(request)
    form, now = await request.post(), request.app[CLOCK]()
    try:
        email = read_text(form, "email", longest=254, needed=True)
        name = read_text(form, "person", longest=100, needed=True)
        role = _role(read_text(form, "role", longest=20))
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


async def _show_link(request: web.Request, token: str, name: str) -> web.Response:
    link = f"{request.app[SETTINGS].public_url}/invitations/{token}"
    return await settings_page(request, link=link, invited=name)


def _only_owners(request: web.Request) -> None:
    if request[MERCHANT].role is not Role.OWNER:
        raise WrongState(Sentence("Only an owner can invite people."))


def _role(text: str) -> Role:
    if text not in set(Role):
        raise InvalidField("role", Sentence("Choose from the list."), text)
    return Role(text)


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
