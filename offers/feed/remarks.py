"""Remarks: what a person should know of a file that is read nevertheless."""

import re
from collections.abc import Iterator

from offers.feed.cells import clean, read_gtin, spoilt_by_spreadsheet
from offers.feed.contents import column
from offers.feed.encoding import Encoding, is_garbled
from offers.feed.layout import Layout
from offers.feed.mapping import repeated_names
from offers.sentences import Sentence

_BELOW_ZERO = re.compile(r"[-\u2212][0-9]+(?:[.,][0-9]+)?")
_IN_PARTS = re.compile(r"[0-9]+[.,][0-9]*[1-9][0-9]*")
_LIKE_A_CODE = re.compile(r"[0-9]{8,14}")
_SHORT_CODE = re.compile(r"[0-9]{7}|[0-9]{11}")


def remarks_on(layout: Layout, encoding: Encoding, text: str) -> Iterator[Sentence]:
    """Yield what is doubtful in a file whose beginning is *text*."""
    if not encoding.whole or is_garbled(text):
        yield Sentence(
            "Some letters are garbled. Look at the preview, and choose another "
            "encoding than {encoding} if need be.",
            encoding=encoding.name,
        )
    for name in repeated_names(layout.columns):
        yield Sentence(
            "Several columns are called “{name}”; only the first is read.", name=name
        )
    yield from _on_tax(layout)
    yield from _on_codes(layout)
    yield from _on_zeros(layout)
    yield from _on_units(layout)


def _on_tax(layout: Layout) -> Iterator[Sentence]:
    if layout.tax == "excluded":
        if layout.answers.tax_rate is not None or "tax_rate" in layout.index:
            return
        yield Sentence(
            "The prices are without tax. Shoppers must be shown prices with their tax."
        )
    elif layout.tax == "unknown" and layout.taxes:
        yield Sentence("The file does not say whether its prices include tax.")


def _on_units(layout: Layout) -> Iterator[Sentence]:
    """Say what becomes of numbers of units that are no whole ones above zero."""
    columns = [layout.index[f] for f in ("quantity",) if f in layout.index]
    columns += [i for _, i in layout.places]
    cells = [cell for i in columns for cell in column(layout.sample, i)]
    below = sum(_BELOW_ZERO.fullmatch(cell) is not None for cell in cells)
    if below and layout.dialect.oversold:
        yield Sentence(
            "{count} quantities of the first {rows} rows are below zero; nothing can "
            "be sold of those.",
            count=below,
            rows=len(layout.sample),
        )
    parts = next((cell for cell in cells if _IN_PARTS.fullmatch(cell)), None)
    if parts and layout.dialect.parts:
        yield Sentence(
            "Some quantities have decimals ({example}); only whole units count.",
            example=parts[:20],
        )


def _on_zeros(layout: Layout) -> Iterator[Sentence]:
    """Say that a spreadsheet took the zeros before codes away; they are put back."""
    for field in ("gtin", "upc"):
        if field not in layout.index:
            continue
        cells = column(layout.sample, layout.index[field])
        short = [c for c in cells if _SHORT_CODE.fullmatch(c) and read_gtin(c)]
        if short:
            yield Sentence(
                "{count} codes in “{column}” have lost a zero at their beginning, such "
                "as {example}; it is put back.",
                count=len(short),
                column=layout.column(field),
                example=short[0],
            )


def _on_codes(layout: Layout) -> Iterator[Sentence]:
    if "gtin" not in layout.index:
        return
    i = layout.index["gtin"]
    codes = [clean(row[i]) for row in layout.sample if i < len(row)]
    unread = [code for code in codes if code.strip("0") and read_gtin(code) is None]
    spoilt = [code for code in unread if spoilt_by_spreadsheet(code)]
    wrong = [code for code in unread if _LIKE_A_CODE.fullmatch(code)]
    if spoilt:
        yield Sentence(
            "A spreadsheet has damaged the codes in “{column}” ({example}); they are "
            "left out. Format the column as text and export it again.",
            column=layout.column("gtin"),
            example=spoilt[0][:30],
        )
    elif wrong:
        yield Sentence(
            "{count} of the first {rows} codes in “{column}” have a wrong check digit "
            "and are left out.",
            count=len(wrong),
            rows=len(codes),
            column=layout.column("gtin"),
        )
