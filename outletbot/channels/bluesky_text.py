"""Bluesky's text: how long it is there, and what of it can be clicked.

A text has 300 graphemes and 3,000 bytes of UTF-8 at most, addresses in full (lexicon
app.bsky.feed.post). Nothing is clickable by itself: facets say which bytes are a link
or a tag (app.bsky.richtext.facet), and which those are is for the client to find.
"""

import re
from collections.abc import Iterator
from typing import Any, TypeAlias
from unicodedata import category

from outletbot.channels.graphemes import count_graphemes

MAX_GRAPHEMES = 300
MAX_BYTES = 3_000
MAX_TAG_GRAPHEMES = 64
MAX_TAG_BYTES = 640

Span: TypeAlias = tuple[int, int, dict[str, str]]

_FACET = "app.bsky.richtext.facet"
_ADDRESS = r"(?<![A-Za-z0-9])https?://[A-Za-z0-9][A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]*"
_GOES_ON = r"(?![?#&=]?[A-Za-z0-9_~%/-])"  # then it is another address
_HASH = re.compile(r"(?<!\S)#")
_JOINING = "\u200d_-"


def text_length(text: str) -> int:
    """Return the graphemes of *text*, or a tenth of its bytes if that is more.

    So that what is no longer than 300 has no more than 3,000 bytes either. Graphemes
    are never counted too few.
    """
    tenths = -(-len(text.encode()) // (MAX_BYTES // MAX_GRAPHEMES))
    return max(count_graphemes(text), tenths)


def facets_of(text: str, link: str) -> list[dict[str, Any]]:
    """Return what can be clicked in *text*: *link*, other addresses, and hashtags."""
    links = list(_links(text, link))
    tags = [tag for tag in _tags(text) if not any(_overlap(tag, one) for one in links)]
    return [
        {
            "index": {
                "byteStart": len(text[:start].encode()),
                "byteEnd": len(text[:end].encode()),
            },
            "features": [feature],
        }
        for start, end, feature in sorted(links + tags, key=lambda span: span[0])
    ]


def links_of(record: Any) -> set[str]:
    """Return where a post leads: the links of its text and of its card."""
    match record:
        case {"embed": {"external": {"uri": str(uri)}}}:
            links = {uri}
        case _:
            links = set()
    return links | {
        feature["uri"]
        for facet in _list(record, "facets")
        for feature in _list(facet, "features")
        if isinstance(feature, dict) and isinstance(feature.get("uri"), str)
    }


def _list(content: Any, name: str) -> list[Any]:
    value = content.get(name) if isinstance(content, dict) else None
    return value if isinstance(value, list) else []


def _links(text: str, link: str) -> Iterator[Span]:
    """Yield the addresses in *text*; *link* is known, and so is never cut short."""
    known = f"{re.escape(link)}{_GOES_ON}|" if link else ""
    for found in re.finditer(f"{known}{_ADDRESS}", text):
        address = found[0] if found[0] == link else _trimmed(found[0])
        yield (
            found.start(),
            found.start() + len(address),
            {"$type": f"{_FACET}#link", "uri": address},
        )


def _trimmed(address: str) -> str:
    """Leave out what ends the sentence or the parenthesis that an address is in."""
    shorter = address.rstrip(".,;:!?'*")
    if shorter.endswith(")") and shorter.count("(") < shorter.count(")"):
        shorter = shorter[:-1]
    return shorter if shorter == address else _trimmed(shorter)


def _tags(text: str) -> Iterator[Span]:
    """Yield the hashtags: words of letters, digits and emoji; digits alone are none."""
    for hash_sign in _HASH.finditer(text):
        start = end = hash_sign.end()
        while end < len(text) and _is_of_tag(text[end]):
            end += 1
        tag = text[start:end].rstrip(_JOINING)
        if _is_tag(tag):
            feature = {"$type": f"{_FACET}#tag", "tag": tag}
            yield start - 1, start + len(tag), feature


def _is_of_tag(char: str) -> bool:
    kind = category(char)
    return kind[0] in "LMN" or kind in {"So", "Sk"} or char in _JOINING


def _is_tag(tag: str) -> bool:
    return (
        bool(tag)
        and category(tag[0])[0] in "LNS"
        and not all(category(char)[0] == "N" for char in tag)
        and count_graphemes(tag) <= MAX_TAG_GRAPHEMES
        and len(tag.encode()) <= MAX_TAG_BYTES
    )


def _overlap(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]
