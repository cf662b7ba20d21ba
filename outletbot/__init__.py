"""The running service: processes, configuration, pages, adapters."""

__version__ = "0.1.0"
