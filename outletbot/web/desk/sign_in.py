"""Signing in: by e-mail and password, or once by an invitation.

Who fails learns nothing of whether the e-mail is known, and after some failures has to
wait. Opening an invitation's address does not use it up, because programs that draw
previews of links open them too: only its button does.
"""

from http import HTTPStatus

from aiohttp import hdrs, web
from sqlmodel import Session

from offers.errors import InvalidField
from offers.merchants import (
    ABSOLUTE,
    Merchant,
    accept_invitation,
    check_attempts,
    end_sign_in,
    find_invited,
    find_merchant,
    note_attempt,
    set_password,
    start_sign_in,
)
from offers.sentences import Sentence
from outletbot.clock import Clock
from outletbot.keys import CLOCK, DATABASE, LANGUAGE, MERCHANT, PASSWORDS
from outletbot.passwords import MIN_LENGTH
from outletbot.printing import say
from outletbot.web.forms import Form, read_text
from outletbot.web.guard import (
    address_of,
    cookie_name,
    drop_cookie,
    public,
    set_cookie,
)
from outletbot.web.rendering import page

HOME = "/summary"
LONGEST_PASSWORD = 200
WRONG = Sentence("This e-mail and password do not fit together.")

routes = web.RouteTableDef()


@routes.get("/sign-in")
@public
async def show_form(request: web.Request) -> web.Response:
    target = safe_target(request.query.get("next", ""))
    if MERCHANT in request:
        raise web.HTTPSeeOther(target)
    return page(request, "desk/sign_in.html", email="", target=target, error="")


@routes.post("/sign-in")
@public
async def sign_in(request: web.Request) -> web.Response:
    """Let a merchant in who knows their password."""
    form = await request.post()
    email = read_text(form, "email", longest=254).lower()
    target = safe_target(read_text(form, "next", longest=500))
    merchant = await _recognise(request, email, _secret(form))
    if merchant is None:
        return page(
            request,
            "desk/sign_in.html",
            status=HTTPStatus.UNPROCESSABLE_ENTITY,
            email=email,
            target=target,
            error=say(WRONG, request[LANGUAGE]),
        )
    return await _let_in(request, merchant, target)


@routes.post("/sign-out")
@public
async def sign_out(request: web.Request) -> web.Response:
    await _end_sign_in(request)
    response = see_other("/sign-in")
    drop_cookie(request, response, "sign_in")
    return response


@routes.get("/invitations/{token}")
@public
async def show_invitation(request: web.Request) -> web.Response:
    """Say who is invited; nothing is used up."""
    database, now = request.app[DATABASE], request.app[CLOCK]()
    token = request.match_info["token"]
    invited = await database.read(find_invited, token, now=now)
    status = HTTPStatus.OK if invited else HTTPStatus.GONE
    response = page(request, "desk/invitation.html", status=status, invited=invited)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@routes.post("/invitations/{token}")
@public
async def accept(request: web.Request) -> web.Response:
    """Sign the invited merchant in, once."""
    database, now = request.app[DATABASE], request.app[CLOCK]()
    token = request.match_info["token"]
    merchant = await database.transact(accept_invitation, token, now=now)
    target = HOME if merchant.password_hash else "/password"
    return await _let_in(request, merchant, target)


@routes.get("/password")
async def show_password_form(request: web.Request) -> web.Response:
    return page(request, "desk/password.html", error="", shortest=MIN_LENGTH)


@routes.post("/password")
async def choose_password(request: web.Request) -> web.Response:
    """Set a password, which ends every sign-in made with the old one."""
    merchant, password = request[MERCHANT], _secret(await request.post())
    try:
        check_password(password, merchant)
    except InvalidField as problem:
        return page(
            request,
            "desk/password.html",
            status=HTTPStatus.UNPROCESSABLE_ENTITY,
            error=say(problem.sentence, request[LANGUAGE]),
            shortest=MIN_LENGTH,
        )
    password_hash = await request.app[PASSWORDS].hash(password)
    await request.app[DATABASE].transact(set_password, merchant.id, password_hash)
    return await _let_in(request, merchant, HOME)


def check_password(password: str, merchant: Merchant) -> None:
    """Refuse what is guessed first.

    Raises:
        InvalidField: If it is short, too long to hash in time, or the e-mail.
    """
    if len(password) < MIN_LENGTH:
        problem = Sentence("Use {shortest} characters or more.", shortest=MIN_LENGTH)
    elif len(password) > LONGEST_PASSWORD:
        problem = Sentence(
            "Use {longest} characters at most.", longest=LONGEST_PASSWORD
        )
    elif password.lower().strip() == merchant.email or len(set(password)) < 4:
        problem = Sentence("That is too easy to guess.")
    else:
        return
    raise InvalidField("password", problem)


def safe_target(address: str) -> str:
    """Return *address* if it is a page of ours, else where everybody begins."""
    # Browsers read a backslash as a slash, and drop tabs and line ends.
    plain = address.isprintable() and "\\" not in address
    ours = address.startswith("/") and not address.startswith("//")
    return address if ours and plain else HOME


def see_other(address: str) -> web.Response:
    """A redirection that can carry a cookie."""
    return web.Response(status=HTTPStatus.SEE_OTHER, headers={hdrs.LOCATION: address})


def _secret(form: Form) -> str:
    """A password as it was typed: spaces count."""
    value = form.get("password", "")
    return value if isinstance(value, str) else ""


async def _recognise(
    request: web.Request, email: str, password: str
) -> Merchant | None:
    database, clock = request.app[DATABASE], request.app[CLOCK]
    subjects = (f"email {email}", f"address {address_of(request)}")
    await database.read(_check, subjects, clock)
    merchant = await database.read(find_merchant, email)
    known = merchant.password_hash if merchant else None
    password = password[: LONGEST_PASSWORD + 1]
    if await request.app[PASSWORDS].verify(known, password):
        return merchant
    await database.transact(_note, subjects, clock)
    return None


def _check(session: Session, subjects: tuple[str, ...], clock: Clock) -> None:
    for subject in subjects:
        check_attempts(session, subject, now=clock())


def _note(session: Session, subjects: tuple[str, ...], clock: Clock) -> None:
    for subject in subjects:
        note_attempt(session, subject, now=clock())


async def _let_in(
    request: web.Request, merchant: Merchant, target: str
) -> web.Response:
    """Start a new sign-in, so that nobody who planted or saw the old one has it."""
    database, now = request.app[DATABASE], request.app[CLOCK]()
    await _end_sign_in(request)
    token = await database.transact(start_sign_in, merchant, now=now)
    response = see_other(target)
    age = int(ABSOLUTE.total_seconds())
    set_cookie(request, response, "sign_in", token, age)
    return response


async def _end_sign_in(request: web.Request) -> None:
    token = request.cookies.get(cookie_name(request, "sign_in"), "")
    if token:
        await request.app[DATABASE].transact(end_sign_in, token)
