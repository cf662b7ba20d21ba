"""The tables: every module that has some, so that none is forgotten."""

from importlib import import_module

TABLES = (
    "offers.accounts",
    "offers.troubles",
    "offers.bad_rows",
    "offers.beats",
    "offers.befores",
    "offers.catalog",
    "offers.clicks",
    "offers.deals",
    "offers.declarations",
    "offers.disputes",
    "offers.echoes",
    "offers.evidence",
    "offers.holds",
    "offers.honesty_seasons",
    "offers.imports",
    "offers.ledger",
    "offers.letters",
    "offers.markdowns",
    "offers.memories",
    "offers.mending",
    "offers.merchants",
    "offers.orders",
    "offers.pacing",
    "offers.payment_accounts",
    "offers.pictures",
    "offers.pieces",
    "offers.posts",
    "offers.prices",
    "offers.readings",
    "offers.refunds",
    "offers.rehearsals",
    "offers.retailers",
    "offers.rules",
    "offers.shops",
    "offers.sources",
    "offers.stock",
    "offers.templates",
    "offers.weeks",
    "webhooks.inbox",
    "webhooks.outbox",
)
"""Every module with tables: importing them is what makes the metadata whole."""

for _name in TABLES:
    import_module(_name)
