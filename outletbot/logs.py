"""Logs: JSON lines for machines, colours on a terminal; never a secret."""

import logging
import sys

import structlog
from structlog.dev import plain_traceback
from structlog.processors import ExceptionRenderer
from structlog.tracebacks import ExceptionDictTransformer
from structlog.types import EventDict, Processor, WrappedLogger

HIDDEN = ("token", "secret", "password", "key", "email", "address")


def set_up_logs(log_format: str, *, least: int = logging.INFO) -> None:
    """Send log lines to stderr, as *log_format* says: auto, json or console.

    Lines below the level *least* are dropped.
    """
    pretty = log_format == "console" or (log_format == "auto" and sys.stderr.isatty())
    last: list[Processor] = (
        [structlog.dev.ConsoleRenderer(exception_formatter=plain_traceback)]
        if pretty
        else [
            ExceptionRenderer(ExceptionDictTransformer(show_locals=False)),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            hide_secrets,
            *last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def hide_secrets(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """Blank the facts whose names say that they are nobody's business."""
    for name in event:
        if any(word in name for word in HIDDEN):
            event[name] = "…"
    return event
