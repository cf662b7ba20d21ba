"""Reading: what the cells of one row say, or everything that is wrong with them."""

from collections.abc import Iterator
from datetime import date

from offers.feed.cells import (
    read_addresses,
    read_condition,
    read_gtin,
    read_line,
    read_tags,
    read_text,
)
from offers.feed.charging import Charging
from offers.feed.counting import count_units
from offers.feed.drafts import Draft, DraftReader
from offers.feed.layout import Layout
from offers.feed.options import named_options
from offers.feed.rows import FeedRow, RowError
from offers.sentences import Sentence

Options = tuple[tuple[str, str], ...]

LONGEST_SKU = 200
LONGEST_MPN = 100


def read_draft(
    draft: Draft, layout: Layout, options: Options, *, today: date
) -> Iterator[FeedRow | RowError]:
    """Yield the offer that *draft* is on *today*, or else all its errors.

    *options* are those that the product's own row gives to this variant.
    """
    reader = DraftReader(draft, layout)
    row = _read(reader, options, today)
    if reader.errors:
        yield from reader.errors
    else:
        yield row


def _read(reader: DraftReader, options: Options, today: date) -> FeedRow:
    """Return the offer; it is of no use if the reader has found errors."""
    draft, text = reader.draft, reader.text
    _check_identity(reader)
    charging = Charging(reader)
    cost = charging.cost()
    quantity, quantities = count_units(reader)
    season = charging.season()
    price, before = charging.on(today, season)
    images = _images(reader)
    return FeedRow(
        line=draft.line,
        sku=draft.sku,
        parent_key=text("parent_key") or _own_key(reader),
        title=read_line(text("title")) or None,
        description=_description(reader),
        brand=read_line(text("brand")) or None,
        category=read_line(text("category")) or None,
        list_price=before,
        price=price,
        cost=cost,
        quantity=quantity,
        gtin=reader.read("gtin", read_gtin) or reader.read("upc", read_gtin),
        condition=reader.read("condition", read_condition),
        image_url=images[0] if images else None,
        options=options or _options(reader),
        tax=charging.tax(),
        quantities=quantities,
        mpn=read_mpn(text("mpn")),
        tags=read_tags(text("tags")) if text("tags") else (),
        image_urls=images,
        sale_from=season[0],
        sale_to=season[1],
    )


def _own_key(reader: DraftReader) -> str | None:
    """Return by what variants name this product, if a shop's variants do by its id."""
    by_id = reader.layout.dialect.parent_by_id
    return (reader.text("id") or None) if by_id else None


def read_mpn(text: str) -> str | None:
    """Return the maker's own number of a thing."""
    return read_line(text)[:LONGEST_MPN] or None


def _check_identity(reader: DraftReader) -> None:
    draft = reader.draft
    if not draft.sku.strip("/"):
        reader.refuse(
            "sku",
            Sentence("The row has no sku."),
            Sentence("Give it a code of its own, and keep that code."),
        )
    if len(draft.sku) > LONGEST_SKU:
        reader.refuse(
            "sku",
            Sentence("The sku is longer than {most} characters.", most=LONGEST_SKU),
            Sentence("Look whether the columns are in order."),
        )
    if not reader.layout.partial and not read_line(reader.text("title")):
        reader.refuse(
            "title",
            Sentence("The row has no title."),
            Sentence("Fill it in, and keep the rows of a product together."),
        )


def _images(reader: DraftReader) -> tuple[str, ...]:
    cells = map(reader.text, ("variant_image", "image_url", "more_images"))
    found = (address for cell in cells if cell for address in read_addresses(cell))
    return tuple(dict.fromkeys(found))


def _description(reader: DraftReader) -> str | None:
    text = reader.text("description") or reader.text("short_description")
    return read_text(text) if text else None


def _options(reader: DraftReader) -> Options:
    layout, cells = reader.layout, reader.draft.cells
    kinds = layout.dialect.options_of
    if kinds and not kinds & set(reader.text("type").lower().split(",")):
        return ()
    own = ((name, cells[i].strip()) for name, i in layout.options if i < len(cells))
    return (
        *named_options(reader.draft.values),
        *((name, value) for name, value in own if value),
    )
