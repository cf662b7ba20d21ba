"""How long a text is on X.

Facts: docs.x.com, "Counting characters", and configuration v3 of twitter-text: in
normal form C, most letters and signs weigh one, all else (and any emoji) two, and
every address 23. What X takes for an address is in part a list of a thousand names;
what merely may be one counts as the longer of both, so that the length is never below
the true one. It is held against twitter-text 3.1.0 in the tests.
"""

import re
from unicodedata import normalize

from outletbot.channels.x_emoji import COUNTRIES, EMOJI

URL_LENGTH = 23
_HEAVY = 2
_LIGHT = (
    range(4352),
    range(0x2000, 0x200E),
    range(0x2010, 0x2020),
    range(0x2032, 0x2038),
)
_ENDINGS = (
    "com|org|net|edu|gov|info|biz|name|shop|store|online|app|dev|page|site|website|blog"
    "|cloud|club|deals|digital|fashion|life|live|market|news|sale|shoes|shopping|social"
    "|tech|today|top|world|xyz|uk"
)
_TOP = f"{_ENDINGS}|{COUNTRIES}"
_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_LATIN = "a-z0-9À-ÖØ-öø-ɏ\u0300-\u036f\u1e00-\u1eff"
_PUNCTUATION = r"\s!-,/:-@\[-^`{-~"

# Surely an address. "t.co" has rules of its own and is left to the next.
_ADDRESS = (
    r"(?:(?<!\S)|(?<=\s[(\"']))(?:https?://)?(?!t\.co)"
    rf"(?:{_LABEL}\.)+(?:{_TOP})(?![0-9a-z@+-])"
    r"(?::[0-9]+(?=/))?"
    r"(?:/(?:[a-z0-9_/%.~+=&-]*[a-z0-9=_/+-])?)?"
    r"(?:\?[a-z0-9_/%.~+=&-]*[a-z0-9=_/&-])?"
)
# Perhaps one: whether it is, and where it ends, depends on the parts of its name.
_LABELS = rf"(?:[{_LATIN}-]+\.)+"
_HOST = (
    rf"(?<![{_LATIN}@\uff20$#\uff03-])(?:https?://)?{_LABELS}"
    r"(?:xn--[a-z0-9-]+|[a-z]{2,}(?![0-9a-z@+-]|://)|(?=[\u00a1-\uffff]))"
)
_FOREIGN_HOST = (
    rf"[hH][tT]{{2}}[pP][sS]?://[^{_PUNCTUATION}]*[\u00a1-\uffff][^{_PUNCTUATION}]*"
)
_WHOLE = re.compile(
    f"(?P<address>(?i:{_ADDRESS}))|(?P<foreign>{_FOREIGN_HOST})"
    f"|(?P<host>(?i:{_HOST}))|(?P<emoji>{EMOJI})"
)
_SHORTEST = re.compile(r"[^.]*\.[A-Za-z0-9-]*")


def text_length(text: str) -> int:
    """Return how long X says *text* is; never too little."""
    normal = normalize("NFC", text)
    length, end = 0, 0
    for found in _WHOLE.finditer(normal):
        length += _weigh(normal[end : found.start()]) + _weigh_whole(found)
        end = found.end()
    return length + _weigh(normal[end:])


def _weigh_whole(found: re.Match[str]) -> int:
    if found["emoji"]:
        return _HEAVY
    if found["address"]:
        return URL_LENGTH
    if found["foreign"]:
        return URL_LENGTH + _weigh(found[0])
    return _weigh_host(found[0])


def _weigh_host(host: str) -> int:
    """Return the most that it can weigh: X may take less of it for an address.

    What is no plain letter in front is not part of it.
    """
    before = 0 if host[0].isascii() else 1
    shortest = _SHORTEST.match(host, before)
    rest = host[shortest.end() :] if shortest else ""
    return max(_weigh(host), before + URL_LENGTH + _weigh(rest))


def _weigh(text: str) -> int:
    return sum(1 if _is_light(ord(char)) else _HEAVY for char in text)


def _is_light(point: int) -> bool:
    return any(point in light for light in _LIGHT)
