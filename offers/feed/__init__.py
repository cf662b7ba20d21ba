"""Feeds: a retailer's file in, offers out, and for every bad row the reason.

Pure code: from a binary stream to ``FeedRow | RowError | Skipped``, one row at a
time. Nothing is guessed where money or stock is at stake, and nothing is lost in
silence: a row becomes an offer, an error with its remedy, or is skipped for a reason.

    feed        open_feed and Feed: the file as a whole
    rows        what comes out; errors: how a whole file is refused
    encoding    what kind of file, in which alphabet
    records     rows of cells, with their lines; the delimiter
    layout      header, dialect, which column is what
    mapping     a column's field, with a reason;  headers, fields, aliases: its words
    dialects    which shop's way of writing it is;  shops: them, as data
    families    what rows of one product say for each other
    repeats     the same sku twice
    assembly    which product a row is about, or why none
    reading     what its cells say;  amounts, cells, options, prices: how
    remarks     what a person should know of the file
    error_file  the bad rows, to be mended and sent again
"""

from offers.feed.aliases import ERROR_COLUMN
from offers.feed.dialects import DIALECTS
from offers.feed.encoding import ENCODINGS
from offers.feed.error_file import write_error_file
from offers.feed.errors import NotAFeed
from offers.feed.feed import Feed, open_feed
from offers.feed.fields import FIELDS
from offers.feed.records import DELIMITERS
from offers.feed.rows import ColumnMapping, FeedRow, RowError, Skipped, Tax
from offers.feed.shops.kinds import Dialect

__all__ = [
    "DELIMITERS",
    "DIALECTS",
    "ENCODINGS",
    "ERROR_COLUMN",
    "FIELDS",
    "ColumnMapping",
    "Dialect",
    "Feed",
    "FeedRow",
    "NotAFeed",
    "RowError",
    "Skipped",
    "Tax",
    "open_feed",
    "write_error_file",
]
