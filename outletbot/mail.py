"""Mail: letters handed to a mail server, over SMTP, in a thread.

The server is ``smtp://`` or ``smtps://user:password@host:port``, with user and password
percent-encoded where they have marks of their own. ``smtp`` is encrypted as soon as the
server offers it (STARTTLS, RFC 3207). A password is sent only over an encrypted line,
or to this very machine.
"""

import asyncio
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from ipaddress import ip_address
from typing import Protocol
from urllib.parse import unquote, urlsplit

TIMEOUT = 15.0  # seconds for each answer of the server
PORTS = {"smtp": 587, "smtps": 465}


class MailError(Exception):
    """A letter was not taken; in words for a person, and without secrets.

    *for_good*: the server will never take this letter, so nobody tries again.
    """

    def __init__(self, message: str, *, for_good: bool = False) -> None:
        super().__init__(message)
        self.for_good = for_good


@dataclass(frozen=True, slots=True)
class Mail:
    """A letter as it is sent; *key* is ours, and the same whenever it is sent again."""

    key: str
    recipient: str
    subject: str
    body: str
    written_at: datetime


class Transport(Protocol):
    """Who takes letters."""

    async def send(self, mail: Mail) -> None:
        """Hand over a letter.

        Raises:
            MailError: If it was not taken, or nobody said so.
        """
        ...


@dataclass(frozen=True, slots=True)
class MailServer:
    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)
    encrypted: bool = False

    @classmethod
    def of_url(cls, url: str) -> "MailServer":
        """Return the server at *url*.

        Raises:
            ValueError: If it is no such address; its words hold no password.
        """
        parts = urlsplit(url)
        msg = "must be smtp://user:password@host:port, or smtps://…"
        try:
            host, port = parts.hostname, parts.port
        except ValueError:
            raise ValueError(msg) from None
        if parts.scheme not in PORTS or not host or parts.path.strip("/"):
            raise ValueError(msg)
        return cls(
            host,
            port or PORTS[parts.scheme],
            unquote(parts.username or ""),
            unquote(parts.password or ""),
            encrypted=parts.scheme == "smtps",
        )

    @property
    def is_here(self) -> bool:
        """Whether it is this very machine."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


class SmtpTransport:
    """Hands letters from *sender* to *server*, each on a line of its own."""

    def __init__(
        self,
        server: MailServer,
        sender: str,
        *,
        context: ssl.SSLContext | None = None,
        timeout: float = TIMEOUT,
    ) -> None:
        self._server = server
        self._sender = sender
        self._context = context
        self._timeout = timeout

    async def send(self, mail: Mail) -> None:
        await asyncio.to_thread(self._send, mail)

    def _send(self, mail: Mail) -> None:
        with _in_words(self._server):
            message = compose_mail(mail, self._sender)
            line = self._connect()
            try:
                self._enter(line)
                line.send_message(message)
            finally:
                line.close()  # what QUIT says changes nothing

    def _connect(self) -> smtplib.SMTP:
        server = self._server
        if not server.encrypted:
            return smtplib.SMTP(server.host, server.port, timeout=self._timeout)
        return smtplib.SMTP_SSL(
            server.host, server.port, timeout=self._timeout, context=self._tls()
        )

    def _enter(self, line: smtplib.SMTP) -> None:
        server, encrypted = self._server, self._server.encrypted
        line.ehlo()
        if not encrypted and line.has_extn("starttls"):
            line.starttls(context=self._tls())
            line.ehlo()
            encrypted = True
        if not server.user:
            return
        if not (encrypted or server.is_here):
            msg = (
                f"The mail server {server.host} offers no encryption, so the password"
                " is not sent: use smtps:// or another port."
            )
            raise MailError(msg)
        line.login(server.user, server.password)

    def _tls(self) -> ssl.SSLContext:
        return self._context or ssl.create_default_context()


def open_transport(url: str, sender: str) -> SmtpTransport | None:
    """Return who takes letters from *sender* at *url*; None if either is empty.

    Raises:
        ValueError: If one of them makes no sense.
    """
    if not (url and sender):
        return None
    if not is_address(parseaddr(sender)[1]):
        msg = "the sender must be an address such as outletbot@example.com"
        raise ValueError(msg)
    return SmtpTransport(MailServer.of_url(url), sender)


def is_address(text: str) -> bool:
    """Whether *text* is one plain e-mail address, as far as that can be told."""
    local, at, domain = text.rpartition("@")
    plain = text.isprintable() and not set(text) & set(" ,;:<>()[]\\\"'")
    dotted = "." in domain.strip(".") and ".." not in domain
    return bool(plain and at and local and "@" not in local and dotted)


def compose_mail(mail: Mail, sender: str) -> EmailMessage:
    """Return a letter as RFC 5322 has it; marked so that no machine answers it.

    Sent again it has the same name, by which mail programs show it once.

    Raises:
        ValueError: If an address or the subject has a line break in it.
    """
    message = EmailMessage(policy=SMTP)
    domain = parseaddr(sender)[1].rpartition("@")[2]
    message["From"] = sender
    message["To"] = mail.recipient
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(mail.written_at)
    message["Message-ID"] = f"<{mail.key}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834
    message.set_content(mail.body)
    return message


@contextmanager
def _in_words(server: MailServer) -> Iterator[None]:
    """Say what went wrong as a ``MailError``."""
    try:
        yield
    except smtplib.SMTPRecipientsRefused as error:
        (refused,) = error.recipients.values()
        raise _refusal(server, "the recipient", refused) from error
    except smtplib.SMTPAuthenticationError as error:
        msg = f"The mail server {server.host} refuses the user or the password."
        raise MailError(msg) from error
    except smtplib.SMTPSenderRefused as error:
        said = error.smtp_code, error.smtp_error
        raise _refusal(server, "the sender", said) from error
    except smtplib.SMTPResponseException as error:
        answer = error.smtp_code, error.smtp_error
        raise _refusal(server, "the letter", answer) from error
    except smtplib.SMTPNotSupportedError as error:
        msg = f"The mail server {server.host} cannot do what this letter needs: {error}"
        raise MailError(msg) from error
    except ssl.SSLError as error:
        why = error.reason or error
        msg = f"The line to {server.host} cannot be encrypted: {why}"
        raise MailError(msg) from error
    except (smtplib.SMTPException, OSError) as error:
        why = str(error) or type(error).__name__
        msg = f"The mail server {server.host}:{server.port} does not answer: {why}"
        raise MailError(msg) from error
    except ValueError as error:
        msg = f"This letter cannot be written: {error}"
        raise MailError(msg, for_good=True) from error


def _refusal(
    server: MailServer, what: str, answer: tuple[int, bytes | str]
) -> MailError:
    """Of all refusals only that of a recipient is about this letter and stays."""
    code, said = answer
    words = said.decode(errors="replace") if isinstance(said, bytes) else said
    msg = f"The mail server {server.host} refuses {what}: {code} {words}"
    return MailError(msg[:500], for_good=what == "the recipient" and code >= 500)
