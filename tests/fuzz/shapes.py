"""
What befalls the shape of a file: the members of an archive, the tags of XML.
"""

import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Callable
from random import Random

from tests.fuzz.mutating import CELLS, TOKENS, mutate

LARGEST_MEMBER = 60_000

_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,  # a password is needed
    ValueError,
)

_TAG = re.compile(rb"</?([A-Za-z_][\w:.-]{0,99})([^<>]{0,999})>")
_TEXT = re.compile(rb">([^<>]+)<")
_NAMES = (
    b"item", b"entry", b"product", b"g:price", b"price", b"id", b"g:id", b"title",
    b"sku", b"link", b"html", b"rss", b"feed", b"x" * 300, b"g:shipping", b"quantity",
    b"a:b:c",
)  # fmt: skip
_DOCTYPES = (
    b"<!DOCTYPE html>", b'<!DOCTYPE r SYSTEM "file:///etc/passwd">',
    b'<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>',
    b'<!DOCTYPE r [<!ENTITY % p SYSTEM "http://a.example/x"> %p;]>',
    b"<!DOCTYPE r [<!ATTLIST r a CDATA 'x'>]>", b"<!DOCTYPE", b"<?xml version='1.1'?>",
    b"<?xml version='1.0' encoding='utf-7'?>",
    b"<?xml version='1.0' encoding='latin1'?>",
    b"<?xml version='1.0' encoding='\xc3\xa9'?>", b"<?php ?>",
)  # fmt: skip


def misshape(dice: Random, kind: str, data: bytes, other: bytes) -> bytes:
    """Return *data*, a file of *kind*, after one mishap within what it is made of."""
    match kind:
        case "zip":
            return _of_archive(dice, data, other)
        case "gzip":
            return _of_gzip(dice, data, other)
        case "xml":
            return dice.choice(_XML_CHANGES)(dice, data)
        case _:
            return mutate(dice, data, other)


def _of_archive(dice: Random, data: bytes, other: bytes) -> bytes:
    """Take the archive apart, spoil one member or its name, and pack it again."""
    try:
        members = _members(data)
    except _UNREADABLE:
        return mutate(dice, data, other)
    if not members:
        return mutate(dice, data, other)
    name = dice.choice(sorted(members))
    match dice.randrange(8):
        case 0:
            del members[name]
        case 1:
            members[dice.choice(sorted(members))] = members[name]
        case 2:
            members[
                dice.choice(("../x.csv", "a/b.xml", "xl/x", "é.csv", "x" * 300))
            ] = members.pop(name)
        case 3:
            members[name] = data if len(data) < LARGEST_MEMBER else b""
        case 4 | 5:
            members[name] = dice.choice(_XML_CHANGES)(dice, members[name] or b"<a/>")
        case _:
            members[name] = mutate(dice, members[name] or b"\n", other)
    return _spoil_list(dice, _packed(dice, members))


def _members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {
            entry.filename: archive.read(entry)
            for entry in archive.infolist()[:40]
            if entry.file_size <= LARGEST_MEMBER * 5
        }


def _packed(dice: Random, members: dict[str, bytes]) -> bytes:
    packing = dice.choice(
        (zipfile.ZIP_STORED, zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    )
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, packing, 1)
    return kept.getvalue()


def _spoil_list(dice: Random, data: bytes) -> bytes:
    """Now and then, make the list of members say what is not so."""
    at = data.rfind(b"PK\x01\x02")
    if at < 0 or dice.random() < 0.8:
        return data
    where = at + dice.randrange(4, 46)
    return data[:where] + dice.randbytes(dice.randint(1, 4)) + data[where + 4 :]


def _of_gzip(dice: Random, data: bytes, other: bytes) -> bytes:
    try:
        content = gzip.decompress(data)
    except (OSError, EOFError, zlib.error):
        return mutate(dice, data, other)
    match dice.randrange(4):
        case 0:
            return mutate(dice, data, other)
        case 1:
            return gzip.compress(data, 1, mtime=0)
        case 2:
            return data + gzip.compress(mutate(dice, content, other), 1, mtime=0)
        case _:
            return gzip.compress(mutate(dice, content or b"\n", other), 1, mtime=0)


def _rename_tag(dice: Random, data: bytes) -> bytes:
    """Give one element, or every one of its name, another name."""
    tags = _TAG.findall(data)
    if not tags:
        return data
    old, new = dice.choice(tags)[0], dice.choice(_NAMES)
    if dice.random() < 0.5:
        return data.replace(old, new, 1)
    return re.sub(rb"(</?)" + re.escape(old) + rb"(?=[\s/>])", rb"\g<1>" + new, data)


def _drop_tag(dice: Random, data: bytes) -> bytes:
    tags = list(_TAG.finditer(data))
    if not tags:
        return data
    tag = dice.choice(tags)
    return data[: tag.start()] + data[tag.end() :]


def _nest(dice: Random, data: bytes) -> bytes:
    tags = list(_TAG.finditer(data))
    if not tags:
        return data
    at, name = dice.choice(tags).start(), dice.choice(_NAMES)
    deep = dice.choice((1, 3, 70, 3_000))
    return data[:at] + (b"<%b>" % name) * deep + (b"</%b>" % name) * deep + data[at:]


def _repeat_element(dice: Random, data: bytes) -> bytes:
    tags = list(_TAG.finditer(data))
    if len(tags) < 2:
        return data
    one = dice.randrange(len(tags) - 1)
    start, end = (
        tags[one].start(),
        tags[min(one + dice.randint(1, 30), len(tags) - 1)].end(),
    )
    return data[:end] + data[start:end] * dice.choice((1, 1, 40)) + data[end:]


def _change_text(dice: Random, data: bytes) -> bytes:
    texts = list(_TEXT.finditer(data))
    if not texts:
        return data
    start, end = dice.choice(texts).span(1)
    said = dice.choice(CELLS).encode("utf-8", "replace") + dice.choice(TOKENS)
    return data[:start] + said + data[end:]


def _attribute(dice: Random, data: bytes) -> bytes:
    tags = [tag for tag in _TAG.finditer(data) if not tag[0].startswith(b"</")]
    if not tags:
        return data
    at = dice.choice(tags).end(1)
    said = dice.choice(
        (
            b" a='1'",
            b" a='1' a='2'",
            b" xmlns='x'",
            b" xmlns:g=''",
            b" a",
            b" href='&#1;'",
            b" r='Z999999999'",
            b" t='s'",
        )
    )
    return data[:at] + said * dice.choice((1, 1, 600)) + data[at:]


def _declare(dice: Random, data: bytes) -> bytes:
    head = dice.choice(_DOCTYPES)
    end = data.find(b"?>")
    return (
        data[: end + 2] + head + data[end + 2 :] if dice.random() < 0.5 else head + data
    )


_XML_CHANGES: tuple[Callable[[Random, bytes], bytes], ...] = (
    _rename_tag, _rename_tag, _drop_tag, _nest, _repeat_element, _change_text,
    _change_text, _attribute, _declare, lambda dice, data: mutate(dice, data, data),
)  # fmt: skip
