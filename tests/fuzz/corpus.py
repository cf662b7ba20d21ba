"""
What fuzzing begins with: small files of every kind, built from their headers, and real
ones where they are at hand.
"""

import gzip
import io
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

import xlwt

from tests.offers.feed.building import EXCEL, FILES, built

MOST_BYTES = 6_000

PLAIN_XML = (
    "<?xml version='1.0'?><products><product id='1'><sku>A</sku><name>Bowl &amp; "
    "<b>x</b></name><price currency='EUR'>12,50</price><stock>3</stock></product>"
    "<product id='2'><sku>B</sku><name><![CDATA[Plate]]></name><price>8</price>"
    "<stock>0</stock></product></products>"
)

_WIDE_XML = PLAIN_XML.replace("?>", " encoding='utf-16'?>", 1)

# What is read by columns, thousands of rows at a time.
PLAIN_TABLE = (
    "sku,title,description,brand,price,was,cost,quantity,ean,image,colour\n"
    "A-1,Ant,Small.,Acme,9.90,12.00,4.00,3,4006381333931,https://a.example/a.jpg,red\n"
    'A-2,"Bee, ""big""","Two\nlines",,1000.00,,,,,,\n'
    "A-3,Cat,<b>Bold</b> &amp; so,Acme,€ 7.50,9.00,0.00,12,123,no address,blue\n"
    "A-4,  Dog   ,,'=Acme,5.00,4.00,,0,,http://a.example/b.png;http://a.example/c.png,\n"
    "A-4,Dog,,Acme,6.00,,,1,,,\n"
)


@dataclass(frozen=True)
class Seed:
    name: str
    data: bytes

    @property
    def kind(self) -> str:
        if self.data.startswith(b"PK"):
            return "zip"
        if self.data.startswith(b"\x1f\x8b"):
            return "gzip"
        if self.data.startswith(b"\xd0\xcf"):
            return "xls"
        return "xml" if self.data.lstrip(b"\xef\xbb\xbf").startswith(b"<") else "text"


def seeds() -> list[Seed]:
    """Return the corpus; the same files in the same order, on every machine."""
    return [*_built(), *_wrapped(), *_real()]


def _built() -> list[Seed]:
    return [Seed(name, built(name)) for name in FILES]


def _wrapped() -> list[Seed]:
    square, rss = built("square.csv"), built("google-rss.xml")
    return [
        Seed("plain.csv", PLAIN_TABLE.encode()),
        Seed("plain-spread.csv", (PLAIN_TABLE * 40).encode()),
        Seed("plain.xml", PLAIN_XML.encode()),
        Seed("utf-16.xml", _WIDE_XML.encode("utf-16")),
        Seed("square.csv.gz", gzip.compress(square, mtime=0)),
        Seed("rss.xml.gz", gzip.compress(rss, mtime=0)),
        Seed("square.zip", _zipped({"export/square.csv": square})),
        Seed("several.zip", _zipped({"a.csv": square, "b.xml": rss})),
        Seed("within.zip", _zipped({"square.xlsx": built("square.xlsx")})),
        Seed("excel.xls", _old_workbook()),
    ]  # fmt: skip


def _zipped(members: dict[str, bytes]) -> bytes:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return kept.getvalue()


def _old_workbook() -> bytes:
    book, kept = xlwt.Workbook(), io.BytesIO()
    sheet = book.add_sheet("Stock")
    for at, row in enumerate(EXCEL):
        for column, cell in enumerate(row):
            sheet.write(at, column, cell)
    book.save(kept)
    return kept.getvalue()


def _real() -> list[Seed]:
    """Return the beginnings of real files; none where their folder is not."""
    beside = Path(__file__).parents[2] / "../shared"
    folder = Path(os.environ.get("OUTLETBOT_SHARED", beside)) / "feeds"  # noqa: TID251 — tests read where the shared folder is
    files = sorted(path for path in folder.glob("*/*.*") if path.is_file())
    return [Seed(path.name, _beginning(path)) for path in files]


def _beginning(path: Path) -> bytes:
    """Return a whole number of lines of a text, and workbooks and XML as a whole."""
    data = path.read_bytes()
    if path.suffix != ".csv" or len(data) <= MOST_BYTES:
        return data
    return data[: data.rfind(b"\n", 0, MOST_BYTES) + 1] or data[:MOST_BYTES]
