"""What several dialects have to put right in a row before it is read.

Each function changes the row's cells, which are known by their fields.
"""

import re
from collections.abc import Mapping

from offers.feed.fields import OPTION_SLOTS
from offers.sentences import Sentence

TYPED_IN = Sentence("Its price is typed in at the till for each sale.")
NOT_PRICED = "variable"

_PAIR = re.compile(r"([^=|;]+)=([^|;]*)")
_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")


def mark_typed_in(values: dict[str, str]) -> None:
    """Make a row whose price is the word "variable" one of that type."""
    if values.get("price", "").lower() == NOT_PRICED:
        values["type"] = NOT_PRICED


def spread_pairs(values: dict[str, str], text: str) -> None:
    """Make options of ``Color=Red|Size=S``."""
    pairs = _PAIR.findall(text.strip("[]"))[:OPTION_SLOTS]
    for slot, (name, value) in enumerate(pairs, 1):
        values[f"option{slot}_name"] = name.strip()
        values[f"option{slot}_value"] = value.strip()


def name_condition(values: dict[str, str], codes: Mapping[str, str]) -> None:
    """Put the word in place of a marketplace's code for a condition.

    Of words that are written together, ``UsedLikeNew`` or ``used_like_new``, the first
    says it.
    """
    said = values.get("condition", "")
    if said in codes:
        values["condition"] = codes[said]
    elif said:
        first = _CAPITAL.sub(" ", said.replace("_", " ")).split(maxsplit=1)
        values["condition"] = first[0] if first else ""
