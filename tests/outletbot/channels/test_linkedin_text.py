"""
Little text: what is escaped on the way to LinkedIn reads there as it was written.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outletbot.channels.linkedin_text import (
    from_little,
    links_of,
    text_length,
    to_little,
)
from outletbot.sandbox.linkedin_rules import read_little


@pytest.mark.parametrize(
    ("text", "little"),
    [
        ("Parka, half price", "Parka, half price"),
        ("50% (today)", r"50% \(today\)"),
        (r"a\b", r"a\\b"),
        ("#Parka", r"{hashtag|\#|Parka}"),
        ("#Été_26!", r"{hashtag|\#|Été\_26}!"),
        ("(#Parka)", r"\({hashtag|\#|Parka}\)"),
        ("No. #1", r"No. \#1"),
        ("C#", r"C\#"),
        ("https://x.example/d#top", r"https://x.example/d\#top"),
        ("https://x.example/#top", r"https://x.example/\#top"),
        ("https://x.example/a_b", r"https://x.example/a\_b"),
    ],
)
def test_marks_are_escaped_and_hashtags_are_made(text: str, little: str) -> None:
    assert to_little(text) == little
    assert read_little(little) == text
    assert from_little(little) == text


@given(st.text(alphabet=st.sampled_from("ab1é #_\\|{}@[]()<>*~\n👪./:")))
def test_readers_see_what_was_written(text: str) -> None:
    little = to_little(text)

    assert read_little(little) == text
    assert from_little(little) == text
    assert text_length(text) >= len(read_little(little))


def test_unescaped_text_stays_as_it_is() -> None:
    assert from_little("Half (price) \\ off") == "Half (price) \\ off"


def test_length_is_what_is_sent() -> None:
    assert text_length("(👪)") == 6


def test_a_link_ends_before_a_mark() -> None:
    assert "https://x.example/a" in links_of("Look: https://x.example/a, now")
