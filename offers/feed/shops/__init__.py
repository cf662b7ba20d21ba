"""The dialects, as data: one module for each shop, or kind of shops.

A new shop is a new entry here; only a way of arranging rows that nobody had before
needs code, in ``offers.feed.families``.

    kinds    what a dialect says
"""
