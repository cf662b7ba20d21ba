"""What a person says of an address from which feeds are fetched."""

import base64
import json
import re
from datetime import time
from urllib.parse import unquote, urlsplit, urlunsplit

from offers.errors import InvalidField
from offers.money import is_currency
from offers.sentences import Sentence
from offers.sources import EVERY, Address
from outletbot.config import Settings
from outletbot.sealing import Seal
from outletbot.web.forms import Form, read_text

LONGEST = 2_000
LONGEST_SECRET = 500
_HEADER = re.compile(r"[A-Za-z0-9-]{1,60}")
_NO_HEADERS = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "cookie"}
)


def read_address(form: Form, settings: Settings, seal: Seal) -> Address:
    """Return what *form* says; a password in the address is sealed and taken out of it.

    Raises:
        InvalidField: If something in it cannot be so.
    """
    url, login = _read_url(form, settings)
    login = _read_login(form) or login
    every = read_text(form, "every", longest=5)
    if every not in {str(minutes) for minutes in EVERY}:
        raise InvalidField("every", Sentence("Choose from the list."), every)
    return Address(
        name=read_text(form, "name", longest=80) or urlsplit(url).netloc,
        url=url,
        login=seal.close(json.dumps(login)) if login else "",
        currency=read_currency(form),
        every=int(every),
        minute=_read_minute(form),
    )


def read_currency(form: Form) -> str:
    """Return the currency of prices that name none.

    Raises:
        InvalidField: If it is none.
    """
    currency = read_text(form, "currency", longest=3).lower()
    if not is_currency(currency):
        problem = Sentence("This is no currency that we know.")
        raise InvalidField("currency", problem, currency)
    return currency


def _read_url(form: Form, settings: Settings) -> tuple[str, dict[str, str]]:
    text = read_text(form, "url", longest=LONGEST, needed=True)
    schemes = {"https", "http"} if settings.allow_private_addresses else {"https"}
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    plain = text.isprintable() and not any(char.isspace() for char in text)
    if not (plain and parts.scheme in schemes and host):
        problem = Sentence(
            "Enter an address such as https://shop.example.com/feed.csv."
        )
        raise InvalidField("url", problem, text)
    place = f"[{host}]" if ":" in host else host
    place += f":{port}" if port else ""
    url = urlunsplit((parts.scheme, place, parts.path, parts.query, ""))
    if parts.username is None:
        return url, {}
    user, password = unquote(parts.username), unquote(parts.password or "")
    return url, _basic(user, password)


def _read_login(form: Form) -> dict[str, str]:
    user = read_text(form, "user", longest=LONGEST_SECRET)
    password = read_text(form, "password", longest=LONGEST_SECRET)
    if user:
        return _basic(user, password)
    name = read_text(form, "header", longest=60)
    value = read_text(form, "value", longest=LONGEST_SECRET)
    if not name:
        return {}
    if not _HEADER.fullmatch(name) or name.lower() in _NO_HEADERS:
        problem = Sentence("Enter the name of a header, such as X-Api-Key.")
        raise InvalidField("header", problem, name)
    if not value or not value.isprintable() or not value.isascii():
        raise InvalidField("value", Sentence("Enter what the header is to say."))
    return {name: value}


def _basic(user: str, password: str) -> dict[str, str]:
    both = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"Authorization": f"Basic {both}"}


def _read_minute(form: Form) -> int:
    text = read_text(form, "at", longest=8)
    try:
        at = time.fromisoformat(text) if text else time()
    except ValueError:
        raise InvalidField(
            "at", Sentence("Enter a time such as 06:30."), text
        ) from None
    return at.hour * 60 + at.minute
