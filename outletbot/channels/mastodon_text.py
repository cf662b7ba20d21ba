"""Mastodon's text: how long it is there, and which links are in it.

Mastodon counts graphemes; an address counts 23 whatever its length, and a mention
counts without its server (docs.joinmastodon.org, "Posting to your account"). Which
words are addresses is decided there by rules that change with the list of top-level
domains; where that leaves a doubt, the longer reading is taken here.
"""

import re
from html.parser import HTMLParser

from outletbot.channels.graphemes import count_graphemes

URL_LENGTH = 23

# Certainly an address to Mastodon, and never read further than Mastodon does.
_ADDRESS = re.compile(
    r"(?<![a-z0-9@$#\uff20\uff03\u202a-\u202e])https?://"
    r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?P<top>[a-z]{2,})"
    r"(?![a-z0-9_@-]|\.[a-z0-9_-]|[^\x00-\x7f])"
    r"(?::[0-9]+)?"
    r"(?:/(?:[a-z0-9!*';:=+,.$/%#_~&|@-]*[a-z0-9=_#/+-])?)?"
    r"(?:\?[a-z0-9!?*'();:&=+$/%#_.,~|@-]*[a-z0-9_&=#/-])?",
    re.IGNORECASE | re.ASCII,
)
_MAYBE_ADDRESS = re.compile(r"https?://\S*?(?=https?://|\s|$)", re.IGNORECASE)
_MENTION = re.compile(
    r"(?<![=/\w])(?P<name>@(?>[A-Za-z0-9_]+(?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?))"
    r"@(?>[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(?![@\uff20:/\w])"
)
_PLAIN_LINK = re.compile(r"https?://[^\s<>\"]+")
# Reserved for tests and homes (RFC 2606, RFC 6762): no address to Mastodon.
_NO_TOPS = frozenset(
    {"example", "home", "internal", "invalid", "lan", "local", "localhost", "test"}
)


def text_length(text: str, *, url_length: int = URL_LENGTH) -> int:
    """Return how long Mastodon says *text* is, or a little more; never less.

    An address under a top-level domain that does not exist is the exception: it is
    not one to Mastodon, and only the reserved ones are known here.
    """
    words, addresses, position = "", 0, 0
    while position < len(text):
        length, end = _address_at(text, position, url_length)
        # A line break stands for the address, lest a mark after it joins a word.
        words += "\n" if length else text[position]
        addresses += length - 1 if length else 0
        position = end
    return addresses + count_graphemes(_MENTION.sub(r"\g<name>", words))


def _address_at(text: str, position: int, url_length: int) -> tuple[int, int]:
    """Return the length of the address at *position*, 0 if none, and where it ends."""
    address = _ADDRESS.match(text, position)
    if address and address["top"].lower() not in _NO_TOPS:
        return url_length, address.end()
    if maybe := _MAYBE_ADDRESS.match(text, position):
        return max(url_length, count_graphemes(maybe[0])), maybe.end()
    return 0, position + 1


def links_of(content: str) -> set[str]:
    """Return the addresses in a post's HTML, linked or written out, whole."""
    reader = _Links()
    reader.feed(content)
    reader.close()
    written = _PLAIN_LINK.findall("".join(reader.words))
    return reader.linked | {*written, *(link.rstrip(".,;:!?)'") for link in written)}


class _Links(HTMLParser):
    """Gathers what is linked, and the words as a reader sees them."""

    def __init__(self) -> None:
        super().__init__()
        self.linked: set[str] = set()
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"p", "br"}:
            self.words.append("\n")
        self.linked |= {value for name, value in attrs if name == "href" and value}

    def handle_data(self, data: str) -> None:
        self.words.append(data)
