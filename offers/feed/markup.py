"""Markup: the list of products in an XML file, as a table.

It is read twice in passing and never held in memory: once to see which element is
repeated for each product and what its children are called, once to write the rows.
Only direct children count, since a ``price`` within ``shipping`` is none of the
product's. Google's feeds (RSS 2.0 and Atom) mix their own names with those of RSS, so
that a name in Google's namespace goes before the same name in another
(support.google.com/merchants, 160589; real files are mixed indeed).
"""

import html
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

from offers.feed.errors import NotAFeed
from offers.feed.mapping import known_names
from offers.feed.records import LONGEST_CELL
from offers.feed.tables import Table
from offers.feed.tags import WEB_PAGE, local_name, parse
from offers.sentences import Sentence

MOST_COLUMNS = 500
MOST_NAMES = 5_000
DEEPEST = 60
GOOGLE = "http://base.google.com/ns/1.0"
GUESSED = frozenset({"item", "entry", "product", "produit", "article", "offer"})

_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z]{2,8});")


@dataclass(slots=True)
class Node:
    """Every element of one name at one place, and its children that hold only text."""

    name: str
    depth: int = 0
    count: int = 0
    children: "dict[str, Node]" = field(default_factory=dict)
    leaves: dict[str, None] = field(default_factory=dict)
    attributes: dict[str, None] = field(default_factory=dict)

    @property
    def columns(self) -> list[str]:
        return list(self.leaves | self.attributes)

    @property
    def rank(self) -> tuple[int, int]:
        """How much this looks like a list of products."""
        usual = 2 if self.name.lower() in GUESSED else 0
        return known_names(self.columns) + usual, self.count


def write_items(stream: BinaryIO, target: BinaryIO) -> int:
    """Write the products of the XML file *stream* to *target*. Return how many.

    Raises:
        NotAFeed: If it is not well formed, does what a feed has no need of, or holds
            no list of products.
    """
    census = _Census()
    parse(stream, census)
    item = _choose(census)
    table = Table(target)
    rows = _Rows(item, census.path(item), table)
    table.add(rows.columns)
    parse(stream, rows)
    table.close()
    return table.rows - 1


class _Census:
    """Counts which elements there are, and where."""

    def __init__(self) -> None:
        self.root = Node("")
        self.nodes: list[Node] = []
        self._open = [self.root]
        self._parents = [False]
        self._above: dict[int, Node] = {}

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        above, name = self._open[-1], local_name(tag)
        self._parents[-1] = True
        node = above.children.get(name) or self._new(above, name)
        node.count += 1
        if attributes:
            node.attributes.update(dict.fromkeys(map(local_name, attributes)))
        _refuse_many(len(node.attributes))
        self._open.append(node)
        self._parents.append(False)

    def end(self, tag: str) -> None:
        node = self._open.pop()
        if not self._parents.pop():
            leaves = self._open[-1].leaves
            leaves[node.name] = None
            _refuse_many(len(leaves))

    def data(self, text: str) -> None: ...

    def close(self) -> None: ...

    def path(self, node: Node) -> list[str]:
        """Return the names on the way to *node*, from the outside in."""
        names: list[str] = []
        while node is not self.root:
            names.append(node.name)
            node = self._above[id(node)]
        return names[::-1]

    def _new(self, above: Node, name: str) -> Node:
        node = Node(name, above.depth + 1)
        if node.depth > DEEPEST or len(self.nodes) >= MOST_NAMES:
            raise NotAFeed(
                Sentence("The XML is nested too deeply for a list of products.")
            )
        above.children[name] = node
        self._above[id(node)] = above
        self.nodes.append(node)
        return node


class _Rows:
    """Writes the element *item*, wherever it is, as the rows of *table*."""

    def __init__(self, item: Node, path: list[str], table: Table) -> None:
        self.columns = item.columns
        self._leaves, self._path, self._table = item.leaves, path, table
        self._open: list[str] = []
        self._cells: dict[str, tuple[int, dict[str, None]]] = {}
        self._sizes: Counter[str] = Counter()
        self._text: list[str] | None = None
        self._size = 0
        self._link = ""

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._open.append(local_name(tag))
        depth, wanted = len(self._open), len(self._path)
        if depth == wanted and self._open == self._path:
            self._sizes.clear()
            self._cells = {
                name: (0, {value[: LONGEST_CELL + 1]: None})
                for name, value in _named(attributes).items()
                if name not in self._leaves
            }
        elif depth == wanted + 1 and self._open[:-1] == self._path:
            self._text, self._size = [], 0
            self._link = attributes.get("href", "")
        else:
            self._text = None  # of something within a child

    def data(self, text: str) -> None:
        if self._text is not None and self._size <= LONGEST_CELL:
            self._text.append(text[: LONGEST_CELL + 1])
            self._size += len(text)

    def end(self, tag: str) -> None:
        depth, wanted = len(self._open), len(self._path)
        if depth == wanted + 1 and self._text is not None:
            self._keep(tag, "".join(self._text).strip() or self._link)
        elif depth == wanted and self._open == self._path:
            self._table.add([self._cell(name) for name in self.columns])
        self._text = None
        self._open.pop()

    def close(self) -> None: ...

    def _keep(self, tag: str, text: str) -> None:
        """Note a child's text; of a name twice, that of the better namespace."""
        name, rank = local_name(tag), _rank(tag)
        known, texts = self._cells.get(name, (rank, {}))
        if rank > known:
            texts, self._sizes[name] = {}, 0
        if rank >= known and text and self._sizes[name] <= LONGEST_CELL:
            texts[unescape(text)] = None
            self._sizes[name] += len(text) + 1
        self._cells[name] = (max(rank, known), texts)

    def _cell(self, name: str) -> str:
        _, texts = self._cells.get(name, (0, ()))
        return ",".join(texts)[: LONGEST_CELL + 1]


def unescape(text: str) -> str:
    """Return *text* without entities that were escaped twice: ``&amp;#039;``."""
    if "&" not in text:
        return text
    return _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)


def _choose(census: _Census) -> Node:
    """Return the element that is repeated for each product."""
    _refuse_page(census.root)
    lists = [node for node in census.nodes if node.columns and node.depth > 1]
    best = max(lists, key=lambda node: node.rank, default=None)
    if best is None or (known_names(best.columns) < 2 and len(best.columns) < 3):
        raise NotAFeed(
            Sentence(
                "This XML file holds no list of products: it is about {names}. A feed "
                "repeats one element for each product, with its sku, title and price.",
                names=", ".join(f"“{node.name[:40]}”" for node in census.nodes[:5]),
            )
        )
    return best


def _refuse_page(root: Node) -> None:
    if "html" in {name.lower() for name in root.children}:
        raise NotAFeed(WEB_PAGE)


def _refuse_many(columns: int) -> None:
    if columns > MOST_COLUMNS:
        raise NotAFeed(
            Sentence("The file has more than {most} columns.", most=MOST_COLUMNS)
        )


def _rank(tag: str) -> int:
    if tag.startswith(f"{{{GOOGLE}}}"):
        return 3
    space = tag.partition("}")[0] if tag.startswith("{") else ""
    return 2 if not space or space.endswith("Atom") else 1


def _named(attributes: Mapping[str, str]) -> dict[str, str]:
    return {local_name(name): value for name, value in attributes.items()}
