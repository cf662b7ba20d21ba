"""Sealing: secrets at rest, readable by this installation only.

``SECRET_KEY`` holds one or more keys with commas between; the first one seals, all of
them open, so that a key can be replaced.
"""

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

NO_KEY = "SECRET_KEY is no key: make one with: outletbot new-key"


class CannotOpen(Exception):
    """The secret was sealed with a key that is not in ``SECRET_KEY``."""


def new_key() -> str:
    return Fernet.generate_key().decode()


class Seal:
    def __init__(self, keys: str) -> None:
        self._fernet = MultiFernet(
            [Fernet(key.strip()) for key in keys.split(",") if key.strip()]
        )

    def close(self, secret: str) -> str:
        return self._fernet.encrypt(secret.encode()).decode()

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
