"""
What holds for every channel.
"""

from datetime import timedelta

import pytest

from outletbot.channels import (
    LONGEST_WAIT,
    LONGEST_WORDS,
    Ability,
    Capabilities,
    Channel,
    ImageRules,
    Numbers,
    Published,
    Rejected,
    TryLater,
)
from outletbot.channels.calls import origin_of
from outletbot.channels.credentials import ends_after
from tests.factories import HOUR, NOON

CALLS = {Ability.ANSWER: "publish"}


@pytest.mark.parametrize("ability", Ability)
def test_an_ability_is_something_that_can_be_asked_for(ability: Ability) -> None:
    assert callable(getattr(Channel, CALLS.get(ability, ability), None))


def test_a_caption_may_have_less_room_than_a_text() -> None:
    images = ImageRules(most=1, max_bytes=1, max_alt_length=1)

    assert Capabilities(100, images, max_caption=10).room(pictured=True) == 10
    assert Capabilities(100, images, max_caption=10).room(pictured=False) == 100
    assert Capabilities(100, images).room(pictured=True) == 100
    assert Capabilities(100, images).delete_window != timedelta()


def test_words_of_a_server_are_cut_to_size() -> None:
    assert str(Rejected("no")) == "no"
    assert str(Rejected("401 \udcff")) == "401 ?"
    assert str(TryLater("n" * 5_000)) == "n" * (LONGEST_WORDS - 1) + "…"


def test_no_server_is_waited_for_for_ever() -> None:
    assert TryLater("no").after is None
    assert TryLater("no", after=HOUR).after == HOUR
    assert TryLater("no", after=timedelta.max).after == LONGEST_WAIT


def test_a_post_is_on_a_page() -> None:
    assert Published("1", "https://social.example/1").url == "https://social.example/1"
    assert Published("1", "javascript:alert(1)").url == ""
    assert Published("1", "").url == ""


def test_numbers_that_cannot_be_are_not_told() -> None:
    assert Numbers(likes=7, views=0) == Numbers(7, None, None, 0)
    assert Numbers(likes=10**30, reposts=-1) == Numbers()


@pytest.mark.parametrize(
    ("seconds", "ends"),
    [
        (3600, NOON + HOUR),
        (0, NOON),
        (-1, None),
        (10**30, None),
        ("3600", None),
        (None, None),
    ],
)
def test_what_ends_ends_within_reason(seconds: object, ends: object) -> None:
    assert ends_after(seconds, now=NOON) == ends


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("https://social.example/bot1:secret?token=x", "https://social.example"),
        ("http://ana:secret@social.example:81/", "http://social.example:81"),
        ("/oauth/authorize?token=x", ""),
        ("https://social.example:port/", ""),
        ("https://[::1", ""),
        ("", ""),
    ],
)
def test_where_a_server_moved_is_told_without_secrets(address: str, told: str) -> None:
    assert origin_of(address) == told
