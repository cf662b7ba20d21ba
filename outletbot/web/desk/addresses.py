"""Addresses that retailers give us, made whole or refused."""

from urllib.parse import urlsplit

from offers.errors import InvalidField
from offers.sentences import Sentence
from outletbot.config import Settings
from outletbot.web.forms import Form, read_text

LONGEST = 500


def read_address(form: Form, field: str, settings: Settings) -> str:
    """Return *field* as the address of a page or an endpoint; nothing is fine.

    Whether it leads into our own network is known only when it is called, and checked
    there (``outletbot.outside``); here it must be https, unless the installation is for
    practice.

    Raises:
        InvalidField: If it is no address, not https, or has a password in it.
    """
    text = read_text(form, field, longest=LONGEST)
    if not text:
        return ""
    if "://" not in text:
        text = f"https://{text}"
    if not _is_address(text, settings):
        problem = Sentence("Enter an address such as https://www.example.com.")
        raise InvalidField(field, problem, text)
    return text


def read_server(form: Form, field: str, settings: Settings) -> str:
    """Return *field* as the address of a server, without a path.

    Raises:
        InvalidField: As ``read_address``, and if there is none.
    """
    read_text(form, field, longest=LONGEST, needed=True)
    parts = urlsplit(read_address(form, field, settings))
    return f"{parts.scheme}://{parts.netloc.lower()}"


def _is_address(text: str, settings: Settings) -> bool:
    schemes = {"https", "http"} if settings.allow_private_addresses else {"https"}
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port  # a port that is no number raises
    except ValueError:
        return False
    plain = text.isprintable() and not any(char.isspace() for char in text)
    return plain and parts.scheme in schemes and bool(host) and "@" not in parts.netloc
