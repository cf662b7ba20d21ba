"""What a Bluesky server refuses of a post, and how it words it.

The limits are those of the lexicons app.bsky.feed.post, app.bsky.embed.images,
app.bsky.embed.external and app.bsky.richtext.facet; the sentences are those of
@atproto/pds 0.5.35. That facets lie within the text and cut no character in two is
checked here only: a real server lets that pass, and its readers see broken links.
"""

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache
from typing import Any, NoReturn
from unicodedata import category

from outletbot.sandbox.shelf import Thing

POST = "app.bsky.feed.post"
MAX_IMAGE = 2_000_000
MAX_THUMB = 1_000_000
MAX_BLOB = 5 * 1024 * 1024

_TID = re.compile(r"[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}")
_URI = re.compile(r"\w+:(?://)?[^\s/]\S*")
_DATETIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_LANGUAGE = re.compile(r"[a-zA-Z]{2,3}(-[a-zA-Z0-9]{1,8})*")

FindBlob = Callable[[str], Thing | None]


class XrpcError(Exception):
    """What the server answers instead: a status, a code and a sentence."""

    def __init__(self, status: int, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.code = code
        self.sentence = sentence


def refuse(sentence: str) -> NoReturn:
    raise XrpcError(400, "InvalidRequest", sentence)


def check_key(rkey: str) -> None:
    if not _TID.fullmatch(rkey):
        msg = f'Invalid record key for {POST}: Invalid TID string (got "{rkey}") at $'
        refuse(msg)


def check_post(record: Any, find_blob: FindBlob) -> None:
    """Refuse what is no post; *find_blob* gives an upload by its address, if any."""
    if not isinstance(record, dict):
        _refuse(f"Expected object value type (got {type(record).__name__})", "")
    if record.get("$type", POST) != POST:
        _refuse(f"Invalid $type: expected {POST}, got {record['$type']}", "")
    text = _string(record, "text", "")
    _check_length(text, "text", 3_000, 300)
    _check_format(_DATETIME, "datetime", _string(record, "createdAt", ""), "createdAt")
    for number, language in enumerate(_array(record, "langs", "", most=3)):
        _check_format(_LANGUAGE, "language", language, f"langs[{number}]")
    for number, facet in enumerate(_array(record, "facets", "")):
        _check_facet(facet, text.encode(), f"facets[{number}]")
    if "reply" in record:
        for end in ("root", "parent"):
            reference = _object(_object(record, "reply", ""), end, "reply")
            _string(reference, "uri", f"reply.{end}")
            _string(reference, "cid", f"reply.{end}")
    if "embed" in record:
        _check_embed(_object(record, "embed", ""), find_blob)


def moment_of(record: Thing) -> datetime:
    return datetime.fromisoformat(record["createdAt"])


def blobs_of(record: Thing) -> Iterator[tuple[str, str]]:
    """Yield the addresses of the pictures of a post, and what they show."""
    match record.get("embed"):
        case {"images": list(images)}:
            for image in images:
                yield image["image"]["ref"]["$link"], image["alt"]
        case {"external": {"thumb": {"ref": {"$link": str(cid)}}, "title": title}}:
            yield cid, title


def count_clusters(text: str) -> int:
    """Return how many characters a reader sees, by the patterns they are made of."""
    return len(_clusters().findall(text))


@cache
def _clusters() -> re.Pattern[str]:
    points = [*range(0x300, 0x20000), *range(0xE0100, 0xE01F0)]
    marks = "".join(chr(one) for one in points if category(chr(one))[0] == "M")
    extend = f"[{marks}\u200c\u200d\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]*"
    flags = "[\U0001f1e6-\U0001f1ff]"
    picture = "[\u2190-\u2bff\U0001f000-\U0001f1e5\U0001f200-\U0001faff]"
    hangul = "[\u1100-\u115f]+[\u1160-\u11a7]*[\u11a8-\u11ff]*"
    viramas = "[\u094d\u09cd\u0acd\u0b4d\u0c4d\u0d4d]"
    consonants = "[\u0915-\u0939\u0995-\u09b9\u0a95-\u0ab9\u0b15-\u0b39\u0c15-\u0c39]"
    kinds = (
        r"\r\n",
        f"{flags}{{2}}{extend}",
        f"{picture}{extend}(?:(?<=\u200d){picture}{extend})*",
        f"{hangul}{extend}",
        "[\x00-\x1f\x7f-\x9f\xad\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]",
        f".{extend}(?:(?<={viramas}){consonants}{extend})*",
    )
    return re.compile("|".join(kinds), re.DOTALL)


def _refuse(why: str, path: str) -> NoReturn:
    at = f"$.record.{path}".rstrip(".")
    msg = f"Invalid {POST} record: {why} at {at}"
    refuse(msg)


def _within(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _required(thing: Thing, name: str, path: str) -> Any:
    if name not in thing:
        _refuse(f'Missing required key "{name}"', path)
    return thing[name]


def _string(thing: Thing, name: str, path: str) -> str:
    value = _required(thing, name, path)
    if not isinstance(value, str):
        _refuse("Expected string value type", _within(path, name))
    return value


def _object(thing: Thing, name: str, path: str) -> Thing:
    value = _required(thing, name, path)
    if not isinstance(value, dict):
        _refuse("Expected object value type", _within(path, name))
    return value


def _array(thing: Thing, name: str, path: str, *, most: int = 1_000) -> list[Any]:
    value = thing.get(name, [])
    if not isinstance(value, list):
        _refuse("Expected array value type", _within(path, name))
    if len(value) > most:
        sizes = f"(maximum {most}, got {len(value)})"
        _refuse(f"array too big {sizes}", _within(path, name))
    return value


def _check_length(text: str, path: str, most_bytes: int, most_clusters: int) -> None:
    size = len(text.encode())
    if size > most_bytes:
        _refuse(f"string too big (maximum {most_bytes}, got {size})", path)
    count = count_clusters(text)
    if count > most_clusters:
        _refuse(f"grapheme too big (maximum {most_clusters}, got {count})", path)


def _check_format(pattern: re.Pattern[str], kind: str, value: Any, path: str) -> None:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        _refuse(f'Invalid {kind} (got "{value}")', path)


def _check_facet(facet: Any, text: bytes, path: str) -> None:
    index = _object(facet, "index", path)
    start, end = (_required(index, name, path) for name in ("byteStart", "byteEnd"))
    if not 0 <= start < end <= len(text):
        _refuse(f"bytes {start} to {end} are not of the text", f"{path}.index")
    try:
        text[:start].decode()
        text[start:end].decode()
    except UnicodeDecodeError:
        _refuse(f"bytes {start} to {end} cut a character", f"{path}.index")
    for number, feature in enumerate(_array(facet, "features", path)):
        _check_feature(feature, f"{path}.features[{number}]")


def _check_feature(feature: Any, path: str) -> None:
    match feature:
        case {"$type": "app.bsky.richtext.facet#link"}:
            uri = _string(feature, "uri", path)
            _check_format(_URI, "uri", uri, f"{path}.uri")
        case {"$type": "app.bsky.richtext.facet#tag"}:
            tag = _string(feature, "tag", path)
            _check_length(tag, f"{path}.tag", 640, 64)
        case _:
            _refuse('Missing required key "$type"', path)


def _check_embed(embed: Thing, find_blob: FindBlob) -> None:
    match embed:
        case {"$type": "app.bsky.embed.images"}:
            images = _required(embed, "images", "embed") and _array(
                embed, "images", "embed", most=4
            )
            for number, image in enumerate(images):
                _check_image(image, find_blob, f"embed.images[{number}]")
        case {"$type": "app.bsky.embed.external"}:
            _check_external(_object(embed, "external", "embed"), find_blob)
        case _:
            _refuse('Missing required key "$type"', "embed")


def _check_image(image: Thing, find_blob: FindBlob, path: str) -> None:
    _string(image, "alt", path)
    _check_blob(image, "image", find_blob, path, MAX_IMAGE)
    for name, value in image.get("aspectRatio", {}).items():
        if not isinstance(value, int) or value < 1:
            sizes = f"(minimum 1, got {value})"
            _refuse(f"integer too small {sizes}", f"{path}.aspectRatio.{name}")


def _check_external(external: Thing, find_blob: FindBlob) -> None:
    path = "embed.external"
    _check_format(_URI, "uri", _string(external, "uri", path), f"{path}.uri")
    _string(external, "title", path)
    _string(external, "description", path)
    if "thumb" in external:
        _check_blob(external, "thumb", find_blob, path, MAX_THUMB)


def _check_blob(
    thing: Thing, name: str, find_blob: FindBlob, path: str, most: int
) -> None:
    match _object(thing, name, path):
        case {"$type": "blob", "ref": {"$link": str(cid)}, "mimeType": mime}:
            pass
        case _:
            _refuse("Expected blob value type", f"{path}.{name}")
    blob = find_blob(cid)
    if blob is None:
        code = "BlobNotFound"
        raise XrpcError(400, code, f"Could not find blob: {cid}")
    if not str(mime).startswith("image/") or mime != blob["mimeType"]:
        expected = f'Expected "image/*" (got "{mime}")'
        _refuse(expected, f"{path}.{name}.mimeType")
    if blob["size"] > most:
        sizes = f"(maximum {most}, got {blob['size']})"
        _refuse(f"blob too big {sizes}", f"{path}.{name}")
