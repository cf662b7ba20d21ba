"""LinkedIn's "little text": which characters are marks there, and how they are escaped.

Text that is not escaped is cut off without a word at the first character that LinkedIn
takes for a mark of its own. A hashtag is written as a template.

Facts: learn.microsoft.com/linkedin, "little text format" (the reserved characters, the
hashtag template); the cut is what others who post there report. What the 3,000
characters of a post are counted on is written nowhere, so that the longest reading is
taken here: what is sent, escaped, in UTF-16. Little text is the text of a post only:
comments, titles and polls are plain (people saw backslashes there).
"""

import re

MAX_LENGTH = 3000

_RESERVED = re.compile(r"[\\|{}@\[\]()<>#*_~]")
_ESCAPED = re.compile(r"\\([\\|{}@\[\]()<>#*_~])")
_HASHTAG = re.compile(r"(?<![\w&/#])#(?P<word>\w*[^\W\d_]\w*)")
_LINK = re.compile(r"https?://[^\s<>\"]+")
_TEMPLATE = re.compile(r"\{hashtag\|\\?#\|(?P<word>[^}]*)\}")


def to_little(text: str) -> str:
    """Return *text* as it is to be sent, so that it reads as it was written."""
    little, done = "", 0
    for tag in _HASHTAG.finditer(text):
        word = _escape(tag["word"])
        little += _escape(text[done : tag.start()]) + rf"{{hashtag|\#|{word}}}"
        done = tag.end()
    return little + _escape(text[done:])


def from_little(little: str) -> str:
    """Return the text that readers see; text that was never escaped stays as it is."""
    return _ESCAPED.sub(r"\1", _TEMPLATE.sub(r"#\g<word>", little))


def links_of(text: str) -> set[str]:
    """Return the addresses that are written in *text*, with and without a last mark."""
    written = _LINK.findall(text)
    return {*written, *(link.rstrip(".,;:!?)'") for link in written)}


def text_length(text: str) -> int:
    """Return how long LinkedIn may say *text* is; never less than it says."""
    return utf16_length(to_little(text))


def utf16_length(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _escape(text: str) -> str:
    return _RESERVED.sub(r"\\\g<0>", text)
