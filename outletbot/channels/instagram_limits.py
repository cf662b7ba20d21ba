"""What Instagram takes; ``outletbot.channels.instagram`` says where that is from."""

from datetime import timedelta

from outletbot.channels import Ability, Capabilities, Counting, ImageRules, Rate

CAPABILITIES = Capabilities(
    max_length=2200,
    counting=Counting.UTF16,
    images=ImageRules(
        most=10,
        least=1,
        max_bytes=8 * 1024 * 1024,
        max_alt_length=1000,
        formats=("image/jpeg",),
        max_side=1440,
        min_shape=4 / 5,
        max_shape=1.91,
        by_address=True,
    ),
    abilities=frozenset(Ability) - {Ability.EDIT},
    posts=(Rate(50, timedelta(days=1)),),
    links_work=False,
)
