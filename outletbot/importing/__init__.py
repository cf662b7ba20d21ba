"""Importing: a feed checked or brought in, for the terminal, the page and the worker.

The file is streamed in batches, each in a transaction of its own. Whoever is killed in
between starts over, since importing twice equals importing once.

    report   what a feed is, and what it did or would do
    reading  check_feed and bring_in: one reading of a feed
    keeping  what the history keeps of a reading
    command  import_file: a file on this machine
    work     work_on_import: a file that was uploaded
"""

from outletbot.importing.command import import_file
from outletbot.importing.reading import bring_in, check_feed
from outletbot.importing.report import Report
from outletbot.importing.work import work_on_import

__all__ = ["Report", "bring_in", "check_feed", "import_file", "work_on_import"]
