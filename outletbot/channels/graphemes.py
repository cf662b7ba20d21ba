"""Graphemes: what a reader takes for one character, counted as the networks count.

Networks limit a text by its extended grapheme clusters (Unicode, annex 29). The
standard library cannot tell them, so this counts code points and leaves out those that
certainly join the one before: combining marks, variation selectors, skin tones, tags,
the second half of a flag, and an emoji after a joiner. What is left in doubt (Hangul
written in single jamo, some Indic conjuncts) is counted one by one. The count is
therefore never below the true one, and a text that fits here fits there.
"""

from unicodedata import category

_ZERO_WIDTH_NON_JOINER = 0x200C
_ZERO_WIDTH_JOINER = 0x200D
_CONTROLS = frozenset({"Cc", "Cf", "Zl", "Zp"})
_MARKS = frozenset({"Mn", "Me"})
_EXTENDING = (range(0x1F3FB, 0x1F400), range(0xE0020, 0xE0080))
_FLAG_HALVES = range(0x1F1E6, 0x1F200)
_PICTURES = (
    range(0x1F300, 0x1F3FB),
    range(0x1F400, 0x1F53E),
    range(0x1F546, 0x1F650),
    range(0x1F680, 0x1F700),
    range(0x1F90C, 0x1F93B),
    range(0x1F93C, 0x1F946),
    range(0x1F947, 0x1FB00),
)
_OLD_PICTURES = frozenset("♀♂⚕⚖⚧✈❤☠⬛➡↔↕⛓♾")


def count_graphemes(text: str) -> int:
    """Return how many characters a reader sees in *text*; never too few."""
    count, base, last, flag_open = 0, "", "", False
    for char in text:
        if last and _extends(char) and not _is_control(last):
            flag_open = False
        elif _is_picture(char) and _joins(last, base):
            base, flag_open = char, False
        elif flag_open and ord(char) in _FLAG_HALVES:
            flag_open = False
        else:
            count, base, flag_open = count + 1, char, ord(char) in _FLAG_HALVES
        last = char
    return count


def _extends(char: str) -> bool:
    point = ord(char)
    return (
        category(char) in _MARKS
        or point in {_ZERO_WIDTH_NON_JOINER, _ZERO_WIDTH_JOINER}
        or any(point in extending for extending in _EXTENDING)
    )


def _is_control(char: str) -> bool:
    """Tell whether nothing joins *char*: a line break, a mark of direction."""
    return category(char) in _CONTROLS and not _extends(char)


def _joins(last: str, base: str) -> bool:
    """Tell whether a joiner after a picture waits for the next one."""
    return last == chr(_ZERO_WIDTH_JOINER) and _is_picture(base)


def _is_picture(char: str) -> bool:
    if not char:
        return False
    return char in _OLD_PICTURES or any(ord(char) in pictures for pictures in _PICTURES)
