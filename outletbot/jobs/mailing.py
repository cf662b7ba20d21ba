"""Letters that are due go out by mail."""

import asyncio

import structlog

from offers.letters import (
    Letter,
    LetterState,
    lease_due_letters,
    mark_sent,
    put_off_letter,
)
from outletbot.clock import Clock
from outletbot.db import Database
from outletbot.mail import Mail, MailError, Transport

log = structlog.get_logger(__name__)


async def send_letters(
    database: Database, transport: Transport | None, clock: Clock
) -> int:
    """Send what is due. Return how many letters were tried.

    Without a *transport* mail is not set up, and letters wait.
    """
    if transport is None:
        return 0
    due = await database.transact(lease_due_letters, now=clock())
    await asyncio.gather(*(_send(database, transport, one, clock) for one in due))
    return len(due)


async def _send(
    database: Database, transport: Transport, letter: Letter, clock: Clock
) -> None:
    mail = Mail(
        letter.id, letter.recipient, letter.subject, letter.body, letter.created_at
    )
    try:
        await transport.send(mail)
    except MailError as error:
        await _put_off(database, letter, error, clock)
    else:
        await database.transact(mark_sent, letter, now=clock())
        log.info("letter_sent", letter=letter.id)


async def _put_off(
    database: Database, letter: Letter, error: MailError, clock: Clock
) -> None:
    state = await database.transact(
        put_off_letter, letter, str(error), for_good=error.for_good, now=clock()
    )
    level = log.error if state is LetterState.GIVEN_UP else log.warning
    level("letter_not_sent", letter=letter.id, state=state, reason=str(error))
