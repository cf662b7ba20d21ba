"""
What holds for every channel.
"""

import pytest

from outletbot.channels import Ability, Channel


@pytest.mark.parametrize("ability", Ability)
def test_an_ability_is_something_that_can_be_asked_for(ability: Ability) -> None:
    assert callable(getattr(Channel, ability, None))
