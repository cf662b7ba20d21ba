"""Redeeming: a shopper in the store shows a code, pays, and takes the goods away.

Made for a phone: the shopper's QR is this page's address, so that the phone's own
camera opens it. Whoever guesses codes is slowed down like whoever guesses passwords.
"""

from datetime import datetime
from http import HTTPStatus

from aiohttp import web
from sqlmodel import Session

from offers.errors import Missing, WrongState
from offers.merchants import check_attempts, note_attempt
from offers.reservations import Reservation, get_reservation, read_pickup_code
from offers.sentences import Sentence
from outletbot.keys import CLOCK, DATABASE, LANGUAGE, MERCHANT, RETAILER
from outletbot.printing import say
from outletbot.web.forms import read_text
from outletbot.web.rendering import page
from webhooks.settling import redeem

NO_CODE = Sentence("Type the code that the shopper shows.")
UNKNOWN = Sentence(
    "There is no reservation with this code here. Look at it once more: "
    "it has eight letters and digits."
)

routes = web.RouteTableDef()


@routes.get("/redeem")
async def ask_for_code(request: web.Request) -> web.Response:
    return _asking(request)


@routes.post("/redeem")
async def look_up(request: web.Request) -> web.Response:
    """Lead to the reservation, whose address is the code."""
    typed = read_text(await request.post(), "code", longest=100)
    code = read_pickup_code(typed)
    if not code.isalnum():
        return _asking(request, NO_CODE, typed)
    address = f"/redeem/{code}"
    raise web.HTTPSeeOther(address)


@routes.get("/redeem/{code}")
async def show_reservation(request: web.Request) -> web.Response:
    try:
        reservation = await _find(request)
    except Missing:
        return _asking(request, UNKNOWN, request.match_info["code"])
    return _showing(request, reservation)


@routes.post("/redeem/{code}")
async def hand_over(request: web.Request) -> web.Response:
    """Note that the shopper has paid here; a second time changes nothing."""
    try:
        reservation = await _find(request)
        await request.app[DATABASE].transact(
            redeem,
            request[RETAILER].id,
            request.match_info["code"],
            merchant_id=request[MERCHANT].id,
            now=request.app[CLOCK](),
        )
    except Missing:
        return _asking(request, UNKNOWN, request.match_info["code"])
    except WrongState as refusal:
        problem = say(refusal.sentence, request[LANGUAGE])
        return _showing(request, await _find(request), problem=problem)
    address = f"/redeem/{reservation.hold.pickup_code}"
    raise web.HTTPSeeOther(address)


async def _find(request: web.Request) -> Reservation:
    """Return the reservation of the address.

    Raises:
        Missing: If there is none; it counts as a guess.
        TooManyAttempts: After ten guesses within a quarter of an hour.
    """
    database, now = request.app[DATABASE], request.app[CLOCK]()
    guesser = f"redeem {request[MERCHANT].id}"
    await database.read(check_attempts, guesser, now=now)
    try:
        return await database.read(
            get_reservation, request[RETAILER].id, request.match_info["code"]
        )
    except Missing:
        await database.transact(_note_guess, guesser, now)
        raise


def _note_guess(session: Session, guesser: str, now: datetime) -> None:
    note_attempt(session, guesser, now=now)


def _asking(
    request: web.Request, problem: Sentence | None = None, typed: str = ""
) -> web.Response:
    status = {None: HTTPStatus.OK, UNKNOWN: HTTPStatus.NOT_FOUND}.get(
        problem, HTTPStatus.UNPROCESSABLE_ENTITY
    )
    return page(
        request,
        "desk/redeem.html",
        status=status,
        reservation=None,
        problem=say(problem, request[LANGUAGE]) if problem else "",
        typed=typed,
    )


def _showing(
    request: web.Request, reservation: Reservation, *, problem: str = ""
) -> web.Response:
    return page(
        request,
        "desk/redeem.html",
        status=HTTPStatus.CONFLICT if problem else HTTPStatus.OK,
        reservation=reservation,
        problem=problem,
        typed="",
    )
