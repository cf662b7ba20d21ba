"""Families: what the rows of one product say for each other.

Some exports write a product's title, brand and pictures on its first row only, others
on a row of their own that the variants name as their parent, or that names them.
"""

from collections.abc import Iterator

from offers.feed.cells import read_variants
from offers.feed.shops.kinds import Dialect, Family

# A parent's cells are kept until the end of the file; past this many characters only
# its title is, so that a file of nothing but parents stays within the memory.
KEPT_CHARACTERS = 20_000_000

VARIATION = "variation"

Options = tuple[tuple[str, str], ...]


class Families:
    """Knows the product of a variant, as far as the rows read so far have told."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._parents: dict[str, dict[str, str]] = {}
        self._children: dict[str, tuple[str, Options]] = {}
        self._named: set[str] = set()
        self._kept = 0
        self._key = ""
        self._first: dict[str, str] = {}

    def begin(self) -> None:
        """Forget the row before; the file is read from its beginning again."""
        self._key, self._first = "", {}

    def remember(self, values: dict[str, str]) -> None:
        """Keep what the variants of this product may leave out."""
        if self._dialect.family is Family.UNDER:
            self._lead(values)
        if self._dialect.family is not Family.PARENT:
            return
        keys = [key for key in self._keys(values) if key not in self._parents]
        if not keys:
            return
        cells = {f: values[f] for f in self._dialect.inherited if values.get(f)}
        if self._kept > KEPT_CHARACTERS:
            cells = {f: text for f, text in cells.items() if f == "title"}
        self._kept += sum(len(text) for text in cells.values())
        self._parents.update(dict.fromkeys(keys, cells))
        for sku, options in read_variants(values.get("variants", "")).items():
            self._children[sku] = (keys[0], options)

    def fill(self, values: dict[str, str]) -> bool:
        """Fill the blanks of a row with what its product says.

        Return whether the row is itself the product of other rows.
        """
        match self._dialect.family:
            case Family.FOLLOWING:
                self._follow(values)
            case Family.HEADED:
                return self._follow(values)
            case Family.PARENT:
                return self._join(values)
            case Family.UNDER if values.get("type") == VARIATION:
                self._inherit(values, self._first)
                values["parent_key"] = values.get("parent_key") or self._key
            case Family.UNDER:
                self._lead(values)
            case Family.NONE:
                pass
        return False

    def options(self, values: dict[str, str]) -> Options:
        """Return the options that the parent's row gives to this variant."""
        return self._children.get(values.get("sku", ""), ("", ()))[1]

    def _lead(self, values: dict[str, str]) -> None:
        """Note the row under which the variations stand that come next."""
        self._key = values.get("sku") or values.get("id") or values.get("title", "")
        self._first = {f: values.get(f, "") for f in self._dialect.inherited}

    def _follow(self, values: dict[str, str]) -> bool:
        key = values.get("parent_key", "")
        follows = bool(key) and key == self._key
        if follows:
            self._inherit(values, self._first)
            self._named.add(key)
        self._key = key
        self._first = {f: values.get(f, "") for f in self._dialect.inherited}
        return not follows and key in self._named

    def _join(self, values: dict[str, str]) -> bool:
        child = self._children.get(values.get("sku", ""))
        if child is not None and not values.get("parent_key"):
            values["parent_key"] = child[0]
        key = values.get("parent_key", "")
        self._inherit(values, self._parents.get(key))
        if not self._dialect.parent_by_id:
            return False
        if key:
            self._named.add(key)
            return False
        self.remember(values)
        return values.get("id", "") in self._named

    def _inherit(self, values: dict[str, str], said: dict[str, str] | None) -> None:
        for field, text in (said or {}).items():
            if field in values and not values[field]:
                values[field] = text

    def _keys(self, values: dict[str, str]) -> Iterator[str]:
        number = values.get("id", "")
        if number and self._dialect.parent_by_id:
            yield number
        if values.get("sku"):
            yield values["sku"]
        if number:
            yield f"id:{number}"
