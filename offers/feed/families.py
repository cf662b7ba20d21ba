"""Families: what the rows of one product say for each other.

Some exports write a product's title, brand and pictures on its first row only, others
on a row of their own that the variants name as their parent.
"""

from collections.abc import Iterator

from offers.feed.cells import read_variants
from offers.feed.shops.kinds import Dialect, Family

# A parent's cells are kept until the end of the file; past this many characters only
# its title is, so that a file of nothing but parents stays within the memory.
KEPT_CHARACTERS = 20_000_000


class Families:
    """Knows the product of a variant, as far as the rows read so far have told."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._parents: dict[str, dict[str, str]] = {}
        self._kept = 0
        self._key = ""
        self._first: dict[str, str] = {}

    def begin(self) -> None:
        """Forget the row before; the file is read from its beginning again."""
        self._key, self._first = "", {}

    def remember(self, values: dict[str, str]) -> None:
        """Keep what the variants of this product, which is no offer, may leave out."""
        if self._dialect.family is not Family.PARENT:
            return
        keys = [key for key in _keys(values) if key not in self._parents]
        if not keys:
            return
        cells = {f: values[f] for f in self._dialect.inherited if values.get(f)}
        if self._kept > KEPT_CHARACTERS:
            cells = {f: text for f, text in cells.items() if f == "title"}
        self._kept += sum(len(text) for text in cells.values())
        self._parents.update(dict.fromkeys(keys, cells))

    def fill(self, values: dict[str, str]) -> None:
        """Fill the blanks of a row with what its product says."""
        match self._dialect.family:
            case Family.FOLLOWING:
                self._follow(values)
            case Family.PARENT:
                self._inherit(values, self._parents.get(values.get("parent_key", "")))
            case Family.NONE:
                pass

    def options(self, values: dict[str, str]) -> tuple[tuple[str, str], ...]:
        """Return the options that the parent's row gives to this variant."""
        parent = self._parents.get(values.get("parent_key", ""))
        if parent is None or "variants" not in parent:
            return ()
        return read_variants(parent["variants"]).get(values.get("sku", ""), ())

    def _follow(self, values: dict[str, str]) -> None:
        key = values.get("parent_key", "")
        if key and key == self._key:
            self._inherit(values, self._first)
        self._key = key
        self._first = {f: values.get(f, "") for f in self._dialect.inherited}

    def _inherit(self, values: dict[str, str], said: dict[str, str] | None) -> None:
        for field, text in (said or {}).items():
            if field in values and not values[field]:
                values[field] = text


def _keys(values: dict[str, str]) -> Iterator[str]:
    if values.get("sku"):
        yield values["sku"]
    if values.get("id"):
        yield f"id:{values['id']}"
