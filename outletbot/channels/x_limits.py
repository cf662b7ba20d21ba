"""What X takes of an account without X Premium, and what it charges.

Facts: docs.x.com, "Counting characters", "Media best practices", "Rate limits" and
"Pricing"; alt texts and polls as in X's OpenAPI description (2.167). An edited post is
a new one there, for paying accounts and half an hour only: editing is none of the
abilities.
"""

from datetime import timedelta
from decimal import Decimal

from outletbot.channels import (
    Ability,
    Capabilities,
    Counting,
    Fees,
    ImageRules,
    PollRules,
    Rate,
)

_QUARTER = timedelta(minutes=15)

CAPABILITIES = Capabilities(
    max_length=280,
    counting=Counting.WEIGHTED,
    abilities=frozenset(Ability) - {Ability.EDIT},
    images=ImageRules(
        most=4,
        max_bytes=5_000_000,
        max_alt_length=1000,
        formats=("image/jpeg", "image/png", "image/webp"),
    ),
    # The second is of the whole app, and so the most that an account can have of it.
    posts=(Rate(100, _QUARTER), Rate(10_000, timedelta(days=1))),
    deletes=(Rate(50, _QUARTER),),
    poll=PollRules(2, 4, 25, timedelta(minutes=5), timedelta(minutes=10_080)),
    fees=Fees(
        post=Decimal("0.015"),
        post_with_link=Decimal("0.20"),
        delete=Decimal("0.010"),
        read=Decimal("0.001"),
    ),
)
