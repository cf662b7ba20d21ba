"""Tags: an XML file, read in passing, its tags and text told one after another.

What XML can do beyond that is refused: entities, which grow or read files, and other
documents (defusedxml's documentation lists the attacks).
"""

from collections.abc import Mapping
from typing import BinaryIO, Protocol
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException, EntitiesForbidden
from defusedxml.ElementTree import DefusedXMLParser

from offers.feed.errors import NotAFeed
from offers.sentences import Sentence

BLOCK = 64 * 1024
LONGEST_TAG = 1024 * 1024
WEB_PAGE = Sentence("This is a web page, not a feed.")

_OUTWARD = Sentence(
    "The XML file asks for other files to be read, which a feed has no need of. "
    "Export it without a DOCTYPE."
)


class Target(Protocol):
    """What hears of the tags and the text of a file, in their order."""

    def start(self, tag: str, attributes: Mapping[str, str]) -> None: ...
    def end(self, tag: str) -> None: ...
    def data(self, text: str) -> None: ...
    def close(self) -> None: ...


def parse(stream: BinaryIO, target: Target) -> None:
    """Let *target* hear of the whole of *stream*.

    Raises:
        NotAFeed: If it is not well formed, or declares entities.
    """
    parser = DefusedXMLParser(target=target)
    parser.parser.StartDoctypeDeclHandler = _refuse_document_type
    fed = 0
    stream.seek(0)
    try:
        while block := stream.read(BLOCK):
            parser.feed(block)
            fed += len(block)
            # A tag is kept until it ends, and looked through again with each block.
            if fed - parser.parser.CurrentByteIndex > 2 * LONGEST_TAG:
                raise NotAFeed(Sentence("The XML file has a tag that does not end."))
        parser.close()
    except EntitiesForbidden as refusal:
        raise NotAFeed(_of_entity(refusal)) from None
    except DefusedXmlException:
        raise NotAFeed(_OUTWARD) from None
    except ParseError as error:
        raise NotAFeed(_malformed(error)) from None
    except (ValueError, LookupError):  # what expat says of encodings
        raise NotAFeed(
            Sentence("The XML file is in an encoding that it does not really have.")
        ) from None


def _refuse_document_type(
    name: str, system: str | None, public: str | None, _internal: int
) -> None:
    if name.lower() == "html":
        raise NotAFeed(WEB_PAGE)
    if system or public:
        raise NotAFeed(_OUTWARD)


def _of_entity(refusal: EntitiesForbidden) -> Sentence:
    if refusal.sysid or refusal.pubid:
        return _OUTWARD
    return Sentence(
        "The XML file declares abbreviations of its own (entities), which can be made "
        "to grow without end. Export it without a DOCTYPE."
    )


def _malformed(error: ParseError) -> Sentence:
    line, _ = error.position
    return Sentence(
        "The XML is not well formed: see line {line}. Export it again.", line=line
    )


def local_name(tag: str) -> str:
    """Return *tag* without its namespace."""
    return tag.rpartition("}")[2]


def looks_like_xml(sample: bytes) -> bool:
    """Whether *sample*, the beginning of a file, is XML and no web page."""
    text = sample[:2_000]
    if text.startswith((b"\xff\xfe<\x00", b"\xfe\xff\x00<")):
        text = text.replace(b"\x00", b"")[2:]
    head = text.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    page = head.startswith((b"<html", b"<!doctype html"))
    return head.startswith(b"<") and not page
