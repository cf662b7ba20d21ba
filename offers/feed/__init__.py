"""Feeds: a retailer's file in, offers out, and for every bad row the reason.

Pure code: from a binary stream to ``FeedRow | RowError | Skipped``, one row at a
time. Nothing is guessed where money or stock is at stake, and nothing is lost in
silence: a row becomes an offer, an error with its remedy, or is skipped for a reason.

    opening     open_feed: a file is recognised;  feed: the file as a whole
    rows        what comes out; errors: how a whole file is refused
    unpacking   any file becomes text: archives, markup (tags), workbooks, tables
    encoding    what kind of file, in which alphabet
    records     rows of cells, with their lines; the delimiter
    layout      header, dialect, which column is what;  finding: the header
    mapping     a column's field, with a reason;  headers, fields, aliases: its words
    contents    what the cells of a column look like;  positions: where it stands
    refusing    tables that are no feeds
    dialects    which shop's way of writing it is;  shops: them, as data
    families    what rows of one product say for each other;  parents: other files
    foreign     rows of prices in other currencies
    repeats     the same sku twice;  gathering: at several places
    assembly    which product a row is about, or why none
    drafts      a row half read;  reading: what its cells say
    charging    its prices;  counting: its units;  amounts, marks, cells,
                days, options, prices: how
    questions   what only a person can say;  asking: which of it a file leaves open
    bulk        plain files, thousands of rows at a time;  blocks, columnar, facts: how
    remarks     what a person should know of the file
    error_file  the bad rows, to be mended and sent again
"""

from offers.feed.aliases import ERROR_COLUMN
from offers.feed.bulk import Block, in_blocks
from offers.feed.dialects import DIALECTS
from offers.feed.encoding import ENCODINGS
from offers.feed.error_file import write_error_file
from offers.feed.errors import NotAFeed
from offers.feed.feed import Feed
from offers.feed.fields import FIELDS
from offers.feed.opening import header_of, open_feed
from offers.feed.parents import Parent
from offers.feed.questions import Answers, Choice, Question
from offers.feed.records import DELIMITERS
from offers.feed.rows import ColumnMapping, FeedRow, RowError, Skipped, Tax
from offers.feed.shops.kinds import Dialect

__all__ = [
    "DELIMITERS",
    "DIALECTS",
    "ENCODINGS",
    "ERROR_COLUMN",
    "FIELDS",
    "Answers",
    "Block",
    "Choice",
    "ColumnMapping",
    "Dialect",
    "Feed",
    "FeedRow",
    "NotAFeed",
    "Parent",
    "Question",
    "RowError",
    "Skipped",
    "Tax",
    "header_of",
    "in_blocks",
    "open_feed",
    "write_error_file",
]
