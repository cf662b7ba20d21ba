"""
What holds for every channel.
"""

from datetime import timedelta

import pytest

from outletbot.channels import Ability, Capabilities, Channel, ImageRules

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
