"""
A mail server for tests: it speaks as much SMTP (RFC 5321) as is spoken to it, keeps
what it is given, and refuses what it is told to.
"""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from outletbot.clock import utc_now


@dataclass
class Taken:
    """A letter as it came, and whether the line was encrypted."""

    sender: str
    recipients: list[str]
    content: bytes
    encrypted: bool

    @property
    def message(self) -> EmailMessage:
        message = message_from_bytes(self.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        return message


@dataclass
class MailHost:
    """*answers* is what it says to a command instead of what it would.

    *context* is for encryption, at once or, *starttls*, when asked. *login* is the user
    and the password that it wants. It *hangs_up* at a command, without a word.
    """

    context: ssl.SSLContext | None = None
    starttls: bool = False
    login: tuple[str, str] | None = None
    answers: dict[str, str] = field(default_factory=dict)
    hangs_up: str = ""
    port: int = 0
    taken: list[Taken] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)

    async def meet(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            await _Talk(self, reader, writer).go_on()
        writer.close()

    @property
    def url(self) -> str:
        return f"127.0.0.1:{self.port}"


class _Talk:
    def __init__(
        self,
        host: MailHost,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._host = host
        self._reader = reader
        self._writer = writer
        self._encrypted = host.context is not None and not host.starttls
        self._sender = ""
        self._recipients: list[str] = []

    async def go_on(self) -> None:
        await self._say(self._host.answers.get("CONNECT", "220 mail.example ESMTP"))
        while line := (await self._reader.readline()).decode().rstrip("\r\n"):
            verb = line.split(" ")[0].upper()
            self._host.commands.append(verb)
            if verb == self._host.hangs_up:
                return
            if verb in self._host.answers:
                await self._say(self._host.answers[verb])
            elif not await self._obey(verb, line):
                return

    async def _obey(self, verb: str, line: str) -> bool:
        """Do what is asked. Return whether there is more to say."""
        match verb:
            case "EHLO":
                await self._greet()
            case "STARTTLS":
                await self._encrypt()
            case "AUTH":
                await self._let_in(line)
            case "MAIL":
                self._sender = _address(line)
                await self._say("250 ok")
            case "RCPT":
                self._recipients.append(_address(line))
                await self._say("250 ok")
            case "DATA":
                await self._take()
            case _:
                await self._say("221 bye" if verb == "QUIT" else "250 ok")
        return verb != "QUIT"

    async def _greet(self) -> None:
        offers = ["mail.example"]
        if self._host.starttls and not self._encrypted:
            offers.append("STARTTLS")
        if self._host.login:
            offers.append("AUTH PLAIN")
        lines = [f"250-{offer}" for offer in offers]
        await self._say("\r\n".join([*lines, "250 8BITMIME"]))

    async def _encrypt(self) -> None:
        assert self._host.context
        await self._say("220 go ahead")
        await self._writer.start_tls(self._host.context)
        self._encrypted = True

    async def _let_in(self, line: str) -> None:
        assert self._host.login
        said = base64.b64decode(line.split(" ")[2]).decode().split("\0")
        right = tuple(said[1:]) == self._host.login
        await self._say("235 welcome" if right else "535 no such user or password")

    async def _take(self) -> None:
        await self._say("354 go ahead")
        content = await self._reader.readuntil(b"\r\n.\r\n")
        content = content[:-3].replace(b"\r\n..", b"\r\n.")
        if "END" in self._host.answers:
            await self._say(self._host.answers["END"])
            return
        taken = Taken(self._sender, self._recipients, content, self._encrypted)
        self._host.taken.append(taken)
        if self._host.hangs_up == "END":
            raise ConnectionError
        await self._say("250 taken")

    async def _say(self, line: str) -> None:
        self._writer.write(f"{line}\r\n".encode())
        await self._writer.drain()


def _address(line: str) -> str:
    return line.partition("<")[2].partition(">")[0]


@asynccontextmanager
async def running(host: MailHost) -> AsyncIterator[MailHost]:
    """Let *host* answer on a free port of this machine."""
    context = None if host.starttls else host.context
    server = await asyncio.start_server(host.meet, "127.0.0.1", 0, ssl=context)
    host.port = server.sockets[0].getsockname()[1]
    try:
        yield host
    finally:
        server.close()


def make_certificate(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return what a server on this machine shows, and what trusts it and no other."""
    key, now = ec.generate_private_key(ec.SECP256R1()), utc_now()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(address, critical=False)
        .sign(key, hashes.SHA256())
    )
    shown = certificate.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path = folder / "mail.pem"
    path.write_bytes(shown + secret)
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(path)
    return server, ssl.create_default_context(cadata=shown.decode())
