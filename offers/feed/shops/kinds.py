"""What a dialect is: how one shop's export names its columns and arranges its rows."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from offers.feed.rows import Tax
from offers.sentences import Sentence

_PICTURE = Sentence("Only another picture of the product above.")


class Family(StrEnum):
    """How the rows of one product find each other."""

    NONE = "none"
    FOLLOWING = "following"  # later rows of a product leave its cells blank
    HEADED = "headed"  # the same, and a first row with others after it is no offer
    PARENT = "parent"  # a variant names the row of its product
    UNDER = "under"  # rows of type "variation" are of the last row that is not


@dataclass(frozen=True, slots=True)
class Dialect:
    """One way of writing products down. All names of columns are normalised.

    How it is known: ``signature`` holds headers; a file with ``enough`` of them and all
    that it ``must`` have, and with more of them than of any other dialect's, is written
    in it. ``rows_from`` finds in the lines before the header the line of the first row.

    What its columns are: ``aliases`` by their whole name, which may say ``{n}`` for the
    number of an option or a picture; of two columns of one field the alias that comes
    first is read. ``starts`` by how their name begins, where the rest is a currency or
    a market; ``places`` by how the name of a column of units at one place begins, where
    the rest is the place; unknown columns behind ``places_after`` are all places.
    ``refused`` are columns, by whole name or by how it begins, that look like something
    else than they are, with the reason. ``positions`` are the fields of columns in
    their order, for files whose headers are free; they are only proposed.

    What its cells say: ``decimal`` and ``currency`` where they do not show it
    themselves, ``tax`` where no header says it. ``minor_units``: money is "EUR 1250".
    ``quantity_words`` are words in place of a number, ``None`` for "nobody knows".
    ``oversold``: less than nothing is nothing, which is safer than to leave the last
    number standing. ``parts``: units have decimals, of which
    the whole ones count. ``mend`` puts the fields of a row right before anything else
    is made of them, and may add some that no column has. ``not_offers`` are values of
    ``type``, ``options_of`` the only values of it with options; ``skipped_where`` are
    values in lower case of other columns, by name, whose rows are no offers.

    How its rows belong together: ``family``, with the fields ``inherited`` from the
    product's row, which a variant names by its id if ``parent_by_id``. ``leftover`` are
    fields of which a row has at least one, or else it is skipped with the reason
    ``leftover_reason``. ``shared_skus``: variants may share a sku, and are then told
    apart by their options.
    ``price_rows``: later rows of a sku say its price in another currency.
    ``translations``: a row that names a locale is one. ``pass_over`` are first cells,
    or their beginning, of lines that are no rows; ``stock_only``: no price or title is
    expected.
    """

    slug: str
    name: str
    signature: frozenset[str] = frozenset()
    enough: int = 0
    must: frozenset[str] = frozenset()
    rows_from: re.Pattern[str] | None = None
    aliases: Mapping[str, str] = field(default_factory=dict)
    starts: Mapping[str, str] = field(default_factory=dict)
    places: tuple[str, ...] = ()
    places_after: str = ""
    refused: Mapping[str, Sentence] = field(default_factory=dict)
    positions: tuple[str, ...] = ()
    decimal: str = ""
    currency: str = ""
    tax: Tax = "unknown"
    minor_units: bool = False
    quantity_words: Mapping[str, int | None] = field(default_factory=dict)
    oversold: bool = True
    parts: bool = False
    mend: Callable[[dict[str, str]], None] | None = None
    family: Family = Family.NONE
    inherited: tuple[str, ...] = ()
    parent_by_id: bool = False
    leftover: tuple[str, ...] = ()
    leftover_reason: Sentence = _PICTURE
    shared_skus: bool = False
    price_rows: bool = False
    translations: bool = False
    not_offers: Mapping[str, Sentence] = field(default_factory=dict)
    skipped_where: Mapping[str, Mapping[str, Sentence]] = field(default_factory=dict)
    options_of: frozenset[str] = frozenset()
    pass_over: tuple[str, ...] = ()
    stock_only: bool = False


PARENT = Sentence("The product itself; its variants have rows of their own.")
GROUP = Sentence("A group of products that have rows of their own.")
BUNDLE = Sentence("A bundle, priced by the products in it.")
ELSEWHERE = Sentence("Sold on another site.")
BOOKING = Sentence("A booking: it needs a date, which a deal cannot give.")

MARKET = Sentence("The price in one market; the shop's own price is read.")
NOT_FREE = Sentence("Units that are not free to sell.")
TO_FILL_IN = Sentence("A number to be filled in, not the present stock.")
LIMIT = Sentence("A limit or an alert level, not what is there or what it costs.")
RECOMMENDED = Sentence("A recommended price: nobody was charged it, so it is not used.")
