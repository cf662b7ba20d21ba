"""
Letters go out by mail, once, and what cannot be sent waits or is given up.
"""

import asyncio
from dataclasses import dataclass, field

import pytest

from offers.letters import Letter, LetterState, write_letter
from outletbot.db import Database
from outletbot.jobs.alarming import sound_alarms
from outletbot.jobs.mailing import send_letters
from outletbot.mail import Mail, MailError, open_transport
from tests.factories import HOUR, NOON, make_deal, north
from tests.outletbot.smtp_server import MailHost, running

BOTH_DATABASES = True


@dataclass
class FakeTransport:
    """Takes everything, or raises its *trouble*."""

    trouble: MailError | None = None
    taken: list[Mail] = field(default_factory=list)

    async def send(self, mail: Mail) -> None:
        if self.trouble:
            raise self.trouble
        self.taken.append(mail)


@pytest.fixture
def letter(session) -> Letter:
    letter = write_letter(
        session,
        north(session).id,
        recipient="ana@north.example",
        subject="Late",
        body="A post is late.\n",
        now=NOON,
    )
    session.commit()
    return letter


def kept(session, letter: Letter) -> Letter:
    session.rollback()
    found = session.get_one(Letter, letter.id, populate_existing=True)
    session.rollback()
    return found


async def send(database: Database, transport: FakeTransport | None) -> int:
    return await send_letters(database, transport, lambda: NOON)


async def test_what_is_due_is_sent_as_it_was_written(database, session, letter):
    transport = FakeTransport()

    done = await send(database, transport)
    again = await send(database, transport)

    assert (done, again) == (1, 0)
    assert transport.taken == [
        Mail(letter.id, "ana@north.example", "Late", "A post is late.\n", NOON)
    ]
    assert kept(session, letter).state is LetterState.SENT


@pytest.mark.usefixtures("letter")
async def test_is_sent_by_one_worker(connect):
    transport = FakeTransport()
    workers = [connect() for _ in range(3)]

    await asyncio.gather(*(send(worker, transport) for worker in workers))

    assert len(transport.taken) == 1


async def test_waits_where_mail_is_not_set_up(database, session, letter):
    assert await send(database, None) == 0
    assert kept(session, letter).attempts == 0


@pytest.mark.parametrize(
    ("for_good", "state"),
    [(False, LetterState.DUE), (True, LetterState.GIVEN_UP)],
)
async def test_keeps_what_the_server_said(database, session, letter, for_good, state):
    transport = FakeTransport(MailError("no such person", for_good=for_good))

    await send(database, transport)

    found = kept(session, letter)
    assert (found.state, found.failure) == (state, "no such person")


async def test_an_alarm_reaches_a_mailbox(database, session):
    retailer = north(session)
    retailer.alarm_email = "ana@north.example"
    make_deal(session, title="Mütze", opens_at=NOON - HOUR, opened_at=None)
    session.commit()
    async with running(MailHost()) as host:
        transport = open_transport(f"smtp://{host.url}", "bot@outlet.example")

        await sound_alarms(database, lambda: NOON, public_url="https://o", mails=True)
        sent = await send_letters(database, transport, lambda: NOON)

    [taken] = host.taken
    assert sent == 1
    assert taken.recipients == ["ana@north.example"]
    assert "“Mütze” on Outlet page is late." in taken.message.get_content()
