"""Sealing: secrets at rest, readable by this installation only.

``SECRET_KEY`` holds one or more keys with commas between; the first one seals, all of
them open, so that a key can be replaced.
"""

import hmac

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

NO_KEY = "SECRET_KEY is no key: make one with: outletbot new-key"


class CannotOpen(Exception):
    """The secret was sealed with a key that is not in ``SECRET_KEY``."""


def new_key() -> str:
    return Fernet.generate_key().decode()


class Seal:
    def __init__(self, keys: str) -> None:
        each = [key.strip() for key in keys.split(",") if key.strip()]
        self._fernet = MultiFernet([Fernet(key) for key in each])
        self._marking = hmac.digest(each[0].encode(), b"outletbot: marks", "sha256")

    def close(self, secret: str) -> str:
        return self._fernet.encrypt(secret.encode()).decode()

    def mark(self, text: str) -> str:
        """Return what stands for *text*: always the same, and nobody can read it."""
        return hmac.digest(self._marking, text.encode(), "sha256").hex()[:32]

    def open(self, sealed: str) -> str:
        """Return the secret; nothing sealed is nothing secret.

        Raises:
            CannotOpen: If none of our keys fits.
        """
        if not sealed:
            return ""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken as error:
            msg = "a stored secret was sealed with another SECRET_KEY"
            raise CannotOpen(msg) from error
