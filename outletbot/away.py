"""Away: whether the database cannot work just now, as opposed to work wrongly asked.

It was stopped or cannot be reached, it is starting, its disk is full, or somebody has
had what is needed for too long. What was asked was not done and may be asked again.
"""

import sqlite3

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

# https://www.postgresql.org/docs/current/errcodes-appendix.html: connection exceptions,
# insufficient resources (a full disk), operator intervention (shutting down, too slow),
# system errors; then a lock that was not to be had.
_CLASSES = {"08", "53", "57", "58"}
_CODES = {"55P03"}

_SQLITE = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
}
_FULL = "53100"
_KIND = 0xFF  # the rest of SQLite's codes says more than is needed


def is_away(error: SQLAlchemyError) -> bool:
    """Whether the database cannot work just now, and may soon."""
    if not isinstance(error, DBAPIError):
        return isinstance(error, NoConnectionFree)
    if isinstance(error.orig, sqlite3.Error):
        code = getattr(error.orig, "sqlite_errorcode", None)  # some have none
        return code is not None and code & _KIND in _SQLITE
    state = getattr(error.orig, "sqlstate", "")
    if state is None:  # there is no connection, or there is none any more
        return True
    return state[:2] in _CLASSES or state in _CODES


def is_full(error: DBAPIError) -> bool:
    """Whether the database has no room left to write."""
    if isinstance(error.orig, sqlite3.Error):
        code = getattr(error.orig, "sqlite_errorcode", None) or 0
        return code & _KIND == sqlite3.SQLITE_FULL
    return getattr(error.orig, "sqlstate", None) == _FULL
