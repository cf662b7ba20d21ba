"""Remarks: what a person should know of a file that is read nevertheless."""

from collections.abc import Iterator

from offers.feed.cells import clean, read_gtin, spoilt_by_spreadsheet
from offers.feed.encoding import Encoding, is_garbled
from offers.feed.layout import Layout
from offers.feed.mapping import repeated_names
from offers.sentences import Sentence


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


def _on_tax(layout: Layout) -> Iterator[Sentence]:
    if layout.tax == "excluded":
        yield Sentence(
            "The prices are without tax. Shoppers must be shown prices with their tax."
        )
    elif layout.tax == "unknown":
        yield Sentence("The file does not say whether its prices include tax.")


def _on_codes(layout: Layout) -> Iterator[Sentence]:
    if "gtin" not in layout.index:
        return
    i = layout.index["gtin"]
    codes = [clean(row[i]) for row in layout.sample if i < len(row)]
    wrong = [code for code in codes if code.strip("0") and read_gtin(code) is None]
    spoilt = [code for code in wrong if spoilt_by_spreadsheet(code)]
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
