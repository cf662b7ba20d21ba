"""
Passwords are kept as argon2id hashes, and nobody's takes as long as somebody's.
"""

from outletbot.passwords import Passwords


async def test_fits_what_it_was_made_of() -> None:
    passwords = Passwords()

    hashed = await passwords.hash("correct horse")

    assert hashed.startswith("$argon2id$")
    assert await passwords.verify(hashed, "correct horse")
    assert not await passwords.verify(hashed, "Correct horse")


async def test_is_salted() -> None:
    passwords = Passwords()

    assert await passwords.hash("same") != await passwords.hash("same")


async def test_fits_nobody_and_nothing_broken() -> None:
    passwords = Passwords()

    assert not await passwords.verify(None, "")
    assert not await passwords.verify("broken", "broken")
