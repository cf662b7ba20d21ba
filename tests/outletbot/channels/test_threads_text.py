"""
How long a text is on Threads: emoji are as long as they have bytes.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outletbot.channels.threads_text import text_length
from outletbot.sandbox.threads_rules import counted


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("Parka, half price", 17),
        ("Été à 10 €", 10),
        ("大減価", 3),
        ("👍", 4),
        ("👨\u200d👩", 11),
        ("❤\ufe0f", 6),
        ("1\ufe0f\u20e3", 7),
        ("🇨🇭", 8),
        ("©", 2),
    ],
)
def test_emoji_are_as_long_as_they_have_bytes(text: str, length: int) -> None:
    assert text_length(text) == length
    assert counted(text) == length


@given(st.text())
def test_is_never_shorter_than_threads_says(text: str) -> None:
    assert text_length(text) >= counted(text)
