"""Parents: products of an earlier import, to which a file of variants refers.

PrestaShop exports combinations in a file of their own: their price is that of the
product and a difference, their title is the product's.
"""

from collections.abc import Callable
from dataclasses import dataclass

from offers.feed.drafts import Draft, error_of
from offers.feed.errors import BadCell
from offers.feed.layout import Layout
from offers.feed.rows import RowError
from offers.money import Money
from offers.sentences import Sentence


@dataclass(frozen=True, slots=True)
class Parent:
    """What variants need to know of their product."""

    title: str
    price: Money


FindParent = Callable[[str], Parent | None]


class Parents:
    """Completes variants by what is known of their product."""

    def __init__(self, find: FindParent | None) -> None:
        self._find = find

    def complete(self, draft: Draft, layout: Layout) -> RowError | None:
        """Fill in title and price of a variant; return an error if nobody knows them.

        Only a file that has differences of price and no prices refers to others.
        """
        if "surcharge" not in layout.index or "price" in layout.index:
            return None
        key = draft.values.get("parent_key", "")
        parent = self._find(key) if self._find and key else None
        if parent is None:
            return error_of(draft, layout, "parent_key", _unknown(key))
        price = f"{parent.price.value:f} {parent.price.currency.upper()}"
        draft.values.update(title=parent.title, price=price)
        return None


def _unknown(key: str) -> BadCell:
    return BadCell(
        Sentence(
            "The price of product {key} is not known here, and these rows only say "
            "what comes on top of it.",
            key=key or "?",
        ),
        Sentence("Import the file of products first."),
    )
