"""Asking who it is once more, before what could cost a retailer money."""

from aiohttp import web
from sqlmodel import Session

from offers.errors import InvalidField, WrongState
from offers.merchants import Role, check_attempts, note_attempt
from offers.sentences import Sentence
from outletbot.clock import Clock
from outletbot.keys import CLOCK, DATABASE, MERCHANT, PASSWORDS
from outletbot.web.forms import Form

LONGEST_PASSWORD = 200


async def confirm_owner(request: web.Request, form: Form) -> None:
    """Go on only for an owner who has just typed their password.

    Raises:
        WrongState: If it is somebody else of the retailer's.
        InvalidField: If the password is wrong, or there is none yet.
        TooManyAttempts: After too many wrong ones.
    """
    merchant, database = request[MERCHANT], request.app[DATABASE]
    if merchant.role is not Role.OWNER:
        raise WrongState(Sentence("Only an owner can change this."))
    if merchant.password_hash is None:
        raise InvalidField(
            "password", Sentence("You have no password yet: choose one.")
        )
    subject, clock = f"email {merchant.email}", request.app[CLOCK]
    await database.read(_check, subject, clock)
    typed = form.get("password", "")
    password = typed[: LONGEST_PASSWORD + 1] if isinstance(typed, str) else ""
    if not await request.app[PASSWORDS].verify(merchant.password_hash, password):
        await database.transact(_note, subject, clock)
        raise InvalidField("password", Sentence("This is not your password."))


def _check(session: Session, subject: str, clock: Clock) -> None:
    check_attempts(session, subject, now=clock())


def _note(session: Session, subject: str, clock: Clock) -> None:
    note_attempt(session, subject, now=clock())
