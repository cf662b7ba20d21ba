"""Passwords, hashed with argon2id in a thread, a few at a time."""

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_LENGTH = 10


class Passwords:
    """Each hash takes some 64 MiB and a fifth of a second, so few run at once."""

    def __init__(self, *, at_once: int = 2) -> None:
        self._hasher = PasswordHasher()
        self._gate = asyncio.Semaphore(at_once)

    async def hash(self, password: str) -> str:
        async with self._gate:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether *password* fits; for nobody it takes as long as for somebody."""
        if password_hash is None:
            await self.hash(password)
            return False
        async with self._gate:
            return await asyncio.to_thread(self._fits, password_hash, password)

    def _fits(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False
