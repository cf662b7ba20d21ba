"""
Letters are handed to a real server over a real line, and what goes wrong is said in
words, without a password and with what may be tried again told from what may not.
"""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from outletbot.mail import (
    Mail,
    MailError,
    MailServer,
    SmtpTransport,
    compose_mail,
    is_address,
    open_transport,
)
from tests.factories import NOON
from tests.outletbot.smtp_server import MailHost, make_certificate, running

SENDER = "outletbot <bot@outlet.example>"
LETTER = Mail(
    key="letter_1",
    recipient="ana@north.example",
    subject="Ein Beitrag über Mäntel ist zu spät",
    body="Un été à midi.\n.\nhttps://outlet.example/deals/1\n",
    written_at=NOON,
)


def transport(host: MailHost, **facts: Any) -> SmtpTransport:
    context = facts.pop("context", None)
    server = MailServer("127.0.0.1", host.port, **facts)
    return SmtpTransport(server, SENDER, context=context, timeout=5)


async def refusal(host: MailHost, letter: Mail = LETTER, **facts: Any) -> MailError:
    async with running(host):
        with pytest.raises(MailError) as caught:
            await transport(host, **facts).send(letter)
    return caught.value


class TestSending:
    async def test_hands_over_a_letter_as_it_was_written(self):
        async with running(MailHost()) as host:
            await transport(host).send(LETTER)

        [taken] = host.taken
        assert taken.sender == "bot@outlet.example"
        assert taken.recipients == ["ana@north.example"]
        assert taken.message["From"] == SENDER
        assert taken.message["To"] == "ana@north.example"
        assert taken.message["Subject"] == LETTER.subject
        assert taken.message["Message-ID"] == "<letter_1@outlet.example>"
        assert taken.message["Date"].datetime == NOON
        assert taken.message["Auto-Submitted"] == "auto-generated"
        body = taken.message.get_content().replace("\r\n", "\n")
        assert body == LETTER.body

    async def test_is_encrypted_as_soon_as_the_server_can(self, tmp_path: Path):
        context, trust = make_certificate(tmp_path)
        async with running(MailHost(context, starttls=True)) as host:
            await transport(host, context=trust).send(LETTER)

        [taken] = host.taken
        assert taken.encrypted
        assert host.commands[:3] == ["EHLO", "STARTTLS", "EHLO"]

    async def test_is_encrypted_from_the_first_byte_if_wanted(self, tmp_path: Path):
        context, trust = make_certificate(tmp_path)
        async with running(MailHost(context)) as host:
            await transport(host, context=trust, encrypted=True).send(LETTER)

        assert host.taken[0].encrypted
        assert "STARTTLS" not in host.commands

    async def test_signs_in_on_an_encrypted_line(self, tmp_path: Path):
        context, trust = make_certificate(tmp_path)
        host = MailHost(context, starttls=True, login=("bot", "s3:cr@t"))
        async with running(host):
            sending = transport(host, context=trust, user="bot", password="s3:cr@t")
            await sending.send(LETTER)

        assert host.commands.index("STARTTLS") < host.commands.index("AUTH")
        assert len(host.taken) == 1

    async def test_signs_in_in_the_open_on_this_machine_alone(self):
        host = MailHost(login=("bot", "secret"))
        async with running(host):
            await transport(host, user="bot", password="secret").send(LETTER)

        assert len(host.taken) == 1

    async def test_keeps_a_password_to_itself_on_an_open_line(self):
        host = MailHost(login=("bot", "secret"))
        async with running(host):
            server = Elsewhere("127.0.0.1", host.port, "bot", "secret")
            away = SmtpTransport(server, SENDER, timeout=5)
            with pytest.raises(MailError, match="offers no encryption"):
                await away.send(LETTER)

        assert "AUTH" not in host.commands

    async def test_keeps_nobody_waiting(self):
        """The line is another thread's."""
        async with running(MailHost()) as host:
            ticks = asyncio.create_task(asyncio.sleep(0, "ticked"))
            await transport(host).send(LETTER)

        assert ticks.done()


class Elsewhere(MailServer):
    """A server that is not on this machine, as far as anybody knows."""

    @property
    def is_here(self) -> bool:
        return False


class TestRefusals:
    async def test_of_a_recipient_is_for_good(self):
        error = await refusal(MailHost(answers={"RCPT": "550 no such person"}))

        assert error.for_good
        assert "refuses the recipient: 550 no such person" in str(error)

    async def test_of_a_recipient_may_pass(self):
        error = await refusal(MailHost(answers={"RCPT": "450 greylisted"}))

        assert not error.for_good

    @pytest.mark.parametrize(
        ("command", "answer", "words"),
        [
            ("MAIL", "553 not your address", "refuses the sender: 553"),
            ("DATA", "554 no", "refuses the letter: 554"),
            ("END", "552 too much", "refuses the letter: 552"),
            ("CONNECT", "421 busy", "refuses the letter: 421"),
        ],
    )
    async def test_of_anything_else_may_be_mended(self, command, answer, words):
        error = await refusal(MailHost(answers={command: answer}))

        assert words in str(error)
        assert not error.for_good

    async def test_of_a_password_do_not_repeat_it(self):
        host = MailHost(login=("bot", "right"))

        error = await refusal(host, user="bot", password="wr0ng")

        assert "refuses the user or the password" in str(error)
        assert "wr0ng" not in str(error)
        assert not error.for_good

    async def test_of_a_way_to_sign_in_that_there_is_not(self):
        error = await refusal(MailHost(), user="bot", password="secret")

        assert "cannot do what this letter needs" in str(error)

    async def test_of_a_certificate_that_nobody_vouches_for(self, tmp_path: Path):
        context, _ = make_certificate(tmp_path)

        error = await refusal(MailHost(context, starttls=True))

        assert "cannot be encrypted" in str(error)

    async def test_of_a_letter_with_a_line_break_in_its_subject(self):
        letter = replace(LETTER, subject="a\nBcc: all@north.example")

        error = await refusal(MailHost(), letter)

        assert error.for_good
        assert "cannot be written" in str(error)


class TestSilence:
    @pytest.mark.parametrize("command", ["EHLO", "MAIL", "DATA"])
    async def test_is_tried_again(self, command):
        error = await refusal(MailHost(hangs_up=command))

        assert not error.for_good

    async def test_after_the_letter_is_tried_again_by_the_same_name(self):
        host = MailHost(hangs_up="END")

        error = await refusal(host)

        assert not error.for_good
        assert host.taken[0].message["Message-ID"] == "<letter_1@outlet.example>"

    async def test_of_nobody_at_all(self):
        async with running(MailHost()) as host:
            sending = transport(host)
        with pytest.raises(MailError, match="does not answer"):
            await sending.send(LETTER)


class TestAddresses:
    @pytest.mark.parametrize(
        ("url", "server"),
        [
            ("smtp://mail.example", MailServer("mail.example", 587)),
            ("smtp://mail.example:25/", MailServer("mail.example", 25)),
            ("smtp://[::1]:2525", MailServer("::1", 2525)),
            (
                "smtps://bot%40x.example:p%3Aw%2F%40@mail.example",
                MailServer(
                    "mail.example", 465, "bot@x.example", "p:w/@", encrypted=True
                ),
            ),
        ],
    )
    def test_of_servers_are_read(self, url, server):
        assert MailServer.of_url(url) == server

    @pytest.mark.parametrize(
        "url",
        [
            "mail.example:25",
            "http://mail.example",
            "smtp://",
            "smtp://mail.example:port",
            "smtp://bot:secret@mail.example:99999",
            "smtp://mail.example/path",
        ],
    )
    def test_of_servers_are_refused_without_their_password(self, url):
        with pytest.raises(ValueError, match="must be smtp://") as refused:
            MailServer.of_url(url)
        assert "secret" not in str(refused.value)

    def test_do_not_show_a_password(self):
        assert "secret" not in repr(MailServer.of_url("smtp://bot:secret@x.example"))

    @pytest.mark.parametrize(
        ("host", "here"),
        [("localhost", True), ("127.0.0.1", True), ("::1", True), ("x.example", False)],
    )
    def test_of_this_machine_are_known(self, host, here):
        assert MailServer(host, 25).is_here is here

    @pytest.mark.parametrize(
        ("text", "good"),
        [
            ("ana@north.example", True),
            ("ana.o+alarms@mail.north.example", True),
            ("anä@nörth.example", True),
            ("ana", False),
            ("ana@north", False),
            ("@north.example", False),
            ("a@b@c.example", False),
            ("ana@.example", False),
            ("ana@north..example", False),
            ("a b@north.example", False),
            ("a@north.example,b@north.example", False),
            ("Ana <ana@north.example>", False),
            ("ana@north.example\nBcc: b@north.example", False),
        ],
    )
    def test_of_people_are_told_from_others(self, text, good):
        assert is_address(text) is good

    @pytest.mark.parametrize(
        ("url", "sender"), [("", SENDER), ("smtp://x.example", ""), ("", "")]
    )
    def test_are_needed_both(self, url, sender):
        assert open_transport(url, sender) is None

    def test_of_a_sender_have_to_be_one(self):
        with pytest.raises(ValueError, match="the sender must be an address"):
            open_transport("smtp://x.example", "outletbot")

    def test_make_a_transport(self):
        assert open_transport("smtp://x.example", SENDER) is not None


def test_a_letter_is_the_same_whenever_it_is_sent():
    assert compose_mail(LETTER, SENDER)["Date"] == compose_mail(LETTER, SENDER)["Date"]
