"""Settings: who a retailer is, and what their shop and ours tell each other.

A secret is made here, sealed, and shown once: in the answer to the form that made it.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from http import HTTPStatus
from zoneinfo import available_timezones

import structlog
from aiohttp import web

from offers.errors import InvalidField, WrongState
from offers.honesty_words import check_words
from offers.letters import (
    Letter,
    LetterState,
    last_letter,
    mark_sent,
    put_off_letter,
    write_test,
)
from offers.merchants import Role, merchants
from offers.moving import waive_approval, want_approval
from offers.retailers import Retailer, change_retailer, get_retailer
from offers.retailers import renew_stock_secret as renew_secret
from offers.sentences import Sentence
from outletbot.alarm_letters import word_test
from outletbot.config import Settings
from outletbot.keys import (
    CLOCK,
    DATABASE,
    LANGUAGE,
    MERCHANT,
    RETAILER,
    SEAL,
    SETTINGS,
)
from outletbot.languages import LANGUAGES
from outletbot.mail import Mail, MailError, Transport, is_address, open_transport
from outletbot.printing import say
from outletbot.web.desk.addresses import read_address
from outletbot.web.forms import Form, read_text
from outletbot.web.rendering import page
from webhooks.signing import new_secret

SHOWN = (
    "name",
    "about",
    "seller",
    "shop_url",
    "time_zone",
    "language",
    "hashtags",
    "webhook_url",
    "alarm_email",
)

PUBLIC = ("about", "hashtags")

OLD_SECRET = timedelta(days=7)
"""So long a secret is good after there is a newer one."""

log = structlog.get_logger(__name__)
routes = web.RouteTableDef()


@routes.get("/settings")
async def show_settings(request: web.Request) -> web.Response:
    return await settings_page(request)


@routes.post("/settings")
async def save_profile(request: web.Request) -> web.Response:
    """Keep what shoppers are told of the retailer."""
    form = await request.post()
    try:
        values = read_profile(form, request.app[SETTINGS])
        await _check_words(request, values)
    except InvalidField as problem:
        return await settings_page(request, typed=form, problem=problem)
    await request.app[DATABASE].transact(change_retailer, request[RETAILER].id, values)
    raise web.HTTPSeeOther("/settings")


async def _check_words(request: web.Request, values: Mapping[str, str]) -> None:
    """Refuse what may not be said now of what goes with every post."""
    texts, now = [(name, values[name]) for name in PUBLIC], request.app[CLOCK]()
    problems = await request.app[DATABASE].read(
        check_words, request[RETAILER], texts, start=now, end=now
    )
    for problem in problems:
        raise problem


@routes.post("/settings/webhook")
async def save_webhook(request: web.Request) -> web.Response:
    """Keep where the retailer is told; the first address comes with a secret."""
    form, retailer = await request.post(), request[RETAILER]
    try:
        address = read_address(form, "webhook_url", request.app[SETTINGS])
    except InvalidField as problem:
        return await settings_page(request, typed=form, problem=problem)
    values: dict[str, str] = {"webhook_url": address}
    secret = ""
    if address and not retailer.sealed_webhook_secret:
        secret = new_secret()
        values["sealed_webhook_secret"] = request.app[SEAL].close(secret)
    await request.app[DATABASE].transact(change_retailer, retailer.id, values)
    if not secret:
        raise web.HTTPSeeOther("/settings")
    return await settings_page(request, secret=secret, whose="webhook")


@routes.post("/settings/webhook/secret")
async def renew_webhook_secret(request: web.Request) -> web.Response:
    """Sign with a new secret from now on."""
    return await _renew(request, "sealed_webhook_secret", "webhook")


@routes.post("/settings/stock/secret")
async def renew_stock_secret(request: web.Request) -> web.Response:
    """Take stock messages signed with a new secret; the old one is good for a week."""
    secret, until = new_secret(), request.app[CLOCK]() + OLD_SECRET
    sealed = request.app[SEAL].close(secret)
    await request.app[DATABASE].transact(
        renew_secret, request[RETAILER].id, sealed, until=until
    )
    return await settings_page(request, secret=secret, whose="stock")


@routes.post("/settings/alarms")
async def save_alarms(request: web.Request) -> web.Response:
    """Keep who is told by mail if a post does not go out; nobody is fine."""
    form = await request.post()
    try:
        values = {"alarm_email": read_email(form, "alarm_email")}
    except InvalidField as problem:
        return await settings_page(request, typed=form, problem=problem)
    await request.app[DATABASE].transact(change_retailer, request[RETAILER].id, values)
    raise web.HTTPSeeOther("/settings#alarms")


@routes.post("/settings/alarms/test")
async def send_test(request: web.Request) -> web.Response:
    """Send a letter at once, so that the answer says whether that works."""
    if request[MERCHANT].role is not Role.OWNER:
        raise WrongState(Sentence("Only an owner can do this."))
    retailer = await request.app[DATABASE].read(get_retailer, request[RETAILER].id)
    transport = transport_of(request.app[SETTINGS])
    if transport is None:
        raise WrongState(Sentence("Mail is not set up on this installation."))
    if not retailer.alarm_email:
        raise WrongState(Sentence("Save an e-mail address first."))
    letter, now = await _write_test(request, retailer), request.app[CLOCK]()
    transact = request.app[DATABASE].transact
    mail = Mail(letter.id, letter.recipient, letter.subject, letter.body, now)
    try:
        await transport.send(mail)
    except MailError as error:
        await transact(put_off_letter, letter, str(error), for_good=True, now=now)
        problem = Sentence("The mail was not sent. {why}", why=str(error))
        return await _noticed(request, problem, "bad")
    await transact(mark_sent, letter, now=now)
    done = Sentence("A mail is on its way to {email}.", email=retailer.alarm_email)
    return await _noticed(request, done, "good")


async def _write_test(request: web.Request, retailer: Retailer) -> Letter:
    words, now = word_test(retailer), request.app[CLOCK]()
    return await request.app[DATABASE].transact(
        write_test,
        retailer.id,
        recipient=retailer.alarm_email,
        subject=words.subject,
        body=words.body,
        now=now,
    )


@routes.post("/settings/approval")
async def choose_approval(request: web.Request) -> web.Response:
    """Settle whether a second person has to approve posts: an owner's choice."""
    if request[MERCHANT].role is not Role.OWNER:
        raise WrongState(Sentence("Only an owner can do this."))
    wanted = (await request.post()).get("approval") == "yes"
    settle = want_approval if wanted else waive_approval
    try:
        await request.app[DATABASE].transact(settle, request[RETAILER].id)
    except InvalidField as problem:
        return await settings_page(request, problem=problem)
    facts = {"retailer": request[RETAILER].id, "by": request[MERCHANT].id}
    log.info("approval_chosen", wanted=wanted, **facts)
    raise web.HTTPSeeOther("/settings#approval")


async def settings_page(
    request: web.Request,
    *,
    typed: Form | None = None,
    problem: InvalidField | None = None,
    **shown: str,
) -> web.Response:
    """Answer with the page; *shown* is what is told this once."""
    database = request.app[DATABASE]
    retailer = await database.read(get_retailer, request[RETAILER].id)
    people = await database.read(merchants, retailer.id)
    letter = await database.read(last_letter, retailer.id)
    response = page(
        request,
        "desk/settings.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
        retailer=retailer,
        values={**_told(retailer), **_texts(typed or {})},
        people=people,
        owner=request[MERCHANT].role is Role.OWNER,
        roles=list(Role),
        problems={problem.field: problem.sentence} if problem else {},
        zones=time_zones(),
        languages=LANGUAGES,
        mails=transport_of(request.app[SETTINGS]) is not None,
        now=request.app[CLOCK](),
        lost=letter if letter and letter.state is LetterState.GIVEN_UP else None,
        stock_url=f"{request.app[SETTINGS].public_url}/webhooks/stock/{retailer.slug}",
        **{"secret": "", "whose": "", "link": "", "invited": "", **shown},
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def read_profile(form: Form, settings: Settings) -> dict[str, str]:
    """Return what a retailer says of itself.

    Raises:
        InvalidField: If something is missing or cannot be.
    """
    return {
        "name": read_text(form, "name", longest=100, needed=True),
        "about": read_text(form, "about", longest=500),
        "seller": read_text(form, "seller", longest=500),
        "shop_url": read_address(form, "shop_url", settings),
        "time_zone": _one_of(form, "time_zone", time_zones().__contains__),
        "language": _one_of(form, "language", LANGUAGES.__contains__),
        "hashtags": _hashtags(form),
    }


def read_email(form: Form, field: str) -> str:
    """Return *field* as an e-mail address; nothing is fine.

    Raises:
        InvalidField: If it is none.
    """
    text = read_text(form, field, longest=254)
    if text and not is_address(text):
        problem = Sentence("Enter an e-mail address such as ana@example.com.")
        raise InvalidField(field, problem, text)
    return text


def transport_of(settings: Settings) -> Transport | None:
    """Return who takes letters; None if mail is not set up, or not so that it works."""
    try:
        return open_transport(settings.smtp_url.get_secret_value(), settings.mail_from)
    except ValueError:
        return None


def time_zones() -> list[str]:
    """Return the zones that are places, and UTC."""
    places = [z for z in available_timezones() if "/" in z and not z.startswith("Etc/")]
    return ["UTC", *sorted(places)]


async def _noticed(request: web.Request, sentence: Sentence, tone: str) -> web.Response:
    said = say(sentence, request[LANGUAGE])
    return await settings_page(request, notice=said, notice_tone=tone)


async def _renew(request: web.Request, column: str, whose: str) -> web.Response:
    secret = new_secret()
    sealed = request.app[SEAL].close(secret)
    await request.app[DATABASE].transact(
        change_retailer, request[RETAILER].id, {column: sealed}
    )
    return await settings_page(request, secret=secret, whose=whose)


def _one_of(form: Form, field: str, is_choice: Callable[[str], bool]) -> str:
    text = read_text(form, field, longest=60)
    if not is_choice(text):
        raise InvalidField(field, Sentence("Choose from the list."), text)
    return text


def _hashtags(form: Form) -> str:
    """Return tags with one space between: letters, digits and underscores only."""
    tags = [tag.strip("#,") for tag in read_text(form, "hashtags", longest=200).split()]
    for tag in tags:
        if not tag.replace("_", "a").isalnum():
            problem = Sentence(
                "“{tag}” is no hashtag: use letters and digits.", tag=tag
            )
            raise InvalidField("hashtags", problem, tag)
    return " ".join(f"#{tag}" for tag in tags)


def _told(retailer: Retailer) -> dict[str, str]:
    """What the forms show of a retailer; never the sealed secrets."""
    return {name: getattr(retailer, name) for name in SHOWN}


def _texts(form: Form) -> dict[str, str]:
    return {name: text for name, text in form.items() if isinstance(text, str)}
