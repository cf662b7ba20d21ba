"""Options: what tells the variants of one product apart, such as colour and size."""

from collections.abc import Iterator, Mapping

from offers.feed.fields import OPTION_SLOTS

# Shopify's way to say that a product has no options.
_NO_OPTION = "default title"

_SLOTS = tuple(
    (f"option{slot}_name", f"option{slot}_value") for slot in range(1, OPTION_SLOTS + 1)
)


def option_values(values: Mapping[str, str]) -> Iterator[str]:
    """Yield the values that tell this variant from the others of its product."""
    return (value for _, value in named_options(values))


def named_options(values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the name and the value of each option; a blank value is no choice."""
    for name, value in _SLOTS:
        said = values.get(value, "")
        if said and said.lower() != _NO_OPTION:
            yield values.get(name, ""), said
