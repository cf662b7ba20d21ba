"""Threads' text: 500 characters, of which an emoji takes as many as it has bytes.

Facts: developers.facebook.com/docs/threads, "Posts" ("emojis are counted as the number
of UTF-8 bytes"). What it takes for an emoji is not said, so that here every sign does
that may be one: a text that fits here fits there.
"""

from unicodedata import category

MAX_LENGTH = 500

_SIGNS = frozenset({"So", "Sm", "Sk", "Cf", "Me", "Cs", "Co", "Cn"})
_OTHERS = frozenset("\u203c\u2049\u2139\u3030\ufe0e\ufe0f")


def text_length(text: str) -> int:
    """Return how long Threads says *text* is, or a little more; never less."""
    return sum(_bytes(char) if _may_be_emoji(char) else 1 for char in text)


def _may_be_emoji(char: str) -> bool:
    return ord(char) > 0xFFFF or category(char) in _SIGNS or char in _OTHERS


def _bytes(char: str) -> int:
    return len(char.encode("utf-8", "surrogatepass"))
