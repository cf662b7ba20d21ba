"""
Graphemes are counted as a reader sees them, and never too few.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outletbot.channels.graphemes import count_graphemes


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", 0),
        ("Parka", 5),
        ("été", 3),
        ("e\u0301te\u0301", 3),  # accents written as marks of their own
        ("⚡️", 1),  # with a variation selector
        ("👍🏽", 1),  # with a skin tone
        ("👩‍👩‍👧‍👦", 1),  # a family, by joiners
        ("❤️‍🔥", 1),
        ("🏳️‍🌈", 1),
        ("🇫🇷", 1),
        ("🇫🇷🇩🇪", 2),
        ("🇫🇷🇩", 2),
        ("🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", 1),
        ("1️⃣", 1),
        ("नि", 2),  # truly one: in doubt it is counted long
        ("a\n\u0301b", 4),  # a mark does not join a line break
        ("\u0301", 1),
        ("\u200d🔥", 2),  # a joiner that joins nothing
        ("a\u200d🔥", 2),
        ("日本語", 3),
    ],
)
def test_counts_what_a_reader_sees(text: str, length: int) -> None:
    assert count_graphemes(text) == length


@given(st.text(), st.text())
def test_joining_texts_never_makes_them_longer(one: str, other: str) -> None:
    assert count_graphemes(one + other) <= count_graphemes(one) + count_graphemes(other)


@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "Zs"])))
def test_letters_and_digits_count_one_each(text: str) -> None:
    assert count_graphemes(text) == len(text)
