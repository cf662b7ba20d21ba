"""
Secrets at rest are readable by this installation only.
"""

import pytest

from outletbot.sealing import CannotOpen, Seal, new_key


def test_opens_what_it_closed() -> None:
    seal = Seal(new_key())

    sealed = seal.close("token é")

    assert "token" not in sealed
    assert seal.open(sealed) == "token é"


def test_nothing_sealed_is_nothing_secret() -> None:
    assert Seal(new_key()).open("") == ""


def test_opens_with_an_older_key_and_seals_with_the_first() -> None:
    old, new = new_key(), new_key()
    sealed = Seal(old).close("token")

    both = Seal(f"{new}, {old},")

    assert both.open(sealed) == "token"
    assert Seal(new).open(both.close("token")) == "token"


@pytest.mark.parametrize("sealed", ["gAAAAA", "token"])
def test_says_that_it_cannot(sealed: str) -> None:
    with pytest.raises(CannotOpen):
        Seal(new_key()).open(sealed)
    with pytest.raises(CannotOpen):
        Seal(new_key()).open(Seal(new_key()).close("token"))
