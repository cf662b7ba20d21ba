"""Where posts go: accounts at networks, and what is handed from process to process."""

import json
from dataclasses import asdict, dataclass, field
from io import BytesIO

from PIL import Image


@dataclass(frozen=True, slots=True)
class Account:
    """A place to post, and the address at which people see what was posted."""

    kind: str
    retailer: int
    base_url: str
    handle: str
    token: str = field(repr=False)
    account_id: str = ""
    page: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the networks are, and who may post there."""

    window: str
    accounts: tuple[Account, ...]

    @classmethod
    def load(cls, line: str) -> "Place":
        facts = json.loads(line)
        accounts = tuple(Account(**account) for account in facts["accounts"])
        return cls(facts["window"], accounts)

    def dump(self) -> str:
        return json.dumps(asdict(self))


def small_picture() -> bytes:
    """Return a picture that every network takes as it is."""
    buffer = BytesIO()
    Image.new("RGB", (400, 400), "red").save(buffer, "JPEG")
    return buffer.getvalue()
