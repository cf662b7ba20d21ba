"""Importing: a feed checked or brought in, for the terminal, the page and the worker.

The file is streamed in batches, each in a transaction of its own. Whoever is killed in
between starts over, since importing twice equals importing once.

    report      what a feed is, and what it did or would do
    opening     a feed read in the way that was chosen
    recalling   what was chosen for an earlier file like it
    reading     check_feed and bring_in: one reading of a feed
    mending     bad rows put right on the page
    completing  what a complete file does not mention
    keeping     what the history keeps of a reading
    undoing     the last import taken back
    command     import_file: a file on this machine
    work        work_on_import: a file that was uploaded
"""

from outletbot.importing.command import Open, Wishes, import_file
from outletbot.importing.reading import bring_in, check_feed
from outletbot.importing.report import Report
from outletbot.importing.work import work_on_import

__all__ = [
    "Open",
    "Report",
    "Wishes",
    "bring_in",
    "check_feed",
    "import_file",
    "work_on_import",
]
