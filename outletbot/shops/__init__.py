"""Shops: what the service needs of a retailer's own shop, whichever software it is.

One file a kind, each a thin client of its API that knows nothing of orders, retries or
databases. Failures are those of ``outletbot.channels``: ``TryLater`` did nothing,
``Rejected`` wants a person, and ``Unconfirmed`` may have been done.

shopify       Admin GraphQL: a change by a key that the shop remembers
woocommerce   REST v3: a change with a mark on the product
opening       the client of a connection
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from outletbot.channels import Rejected, TryLater, Unconfirmed

__all__ = [
    "Item",
    "NotCounted",
    "NotThere",
    "Rejected",
    "Shop",
    "Told",
    "TryLater",
    "Unconfirmed",
]


class NotThere(Rejected):
    """The shop has no such thing, or several."""


class NotCounted(Rejected):
    """The shop does not count how many it has of this: there is nothing to change."""


@dataclass(frozen=True, slots=True)
class Item:
    """A thing in a shop by the shop's own keys, at one of its places.

    *told_of* is the thing that was asked for, if its stock is kept at another.
    """

    key: str
    place_key: str = ""
    parent_key: str = ""
    told_of: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """*applied_at* is the shop's own time, *level* what it has left, if it says."""

    applied_at: datetime
    level: int | None


class Shop(Protocol):
    """One shop that we may change the stock of."""

    async def find(self, sku: str, place_key: str) -> Item:
        """Return what goes by *sku*, at a place; at the fullest one if it is empty.

        Raises:
            NotThere: If nothing does, or several do.
            NotCounted: If the shop does not count it.
        """
        ...

    async def change(self, item: Item, units: int, *, key: str) -> Told:
        """Add *units* to its stock, taking some off if less than none.

        Raises:
            Unconfirmed: If it may have been done.
        """
        ...

    async def change_again(
        self, item: Item, units: int, *, key: str, since: datetime
    ) -> Told:
        """Do so unless it was done by the same key before, first at *since*.

        Raises:
            Unconfirmed: If it may have been done.
            Rejected: If the shop cannot tell any more whether it was.
        """
        ...
