"""Honesty: which rule says what a price was before, by the retailer's country.

What the laws want, as read (no legal advice):

* EU and EEA: the lowest price applied in the 30 days before the reduction (Directive
  98/6/EC, article 6a(2)); a percentage is reckoned from that (CJEU, C-330/23).
* A member state may say that of cuts which follow each other without a break the price
  before the first counts (article 6a(5)). France does (Code de la consommation,
  L112-1-1), Germany does (PAngV, § 11(2)). Of other states we do not know it: there the
  lowest of the 30 days before each cut is taken, which claims no more than that.
* France: "soldes" only within two periods (Code de commerce, L310-3; arrêté of 27 May
  2019), and no resale at a loss (L442-5, which has exceptions).
* USA: a former price that was openly charged for "a reasonably substantial period" in
  the recent course of business (16 CFR 233.1). How many days that is, nobody says.

Anywhere else the rule of the EU is used until the retailer chooses another.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from offers.retailers import Retailer


class Rule(StrEnum):
    """What a price before is; as a rule each claims no more than those above it."""

    USUAL = "usual"
    FIRST_CUT = "first_cut"
    LOWEST = "lowest"
    NEVER = "never"


STRICTER = tuple(Rule)
USUAL_DAYS, FEWEST_USUAL_DAYS, MOST_USUAL_DAYS = 28, 14, 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """What a country asks for: *least* is the rule that claims most, *usual* ours.

    *with_tax*: shoppers are told prices with tax. *seasons*: the word "soldes" has
    its periods. *no_loss*: goods are not to be resold under cost.
    """

    least: Rule = Rule.LOWEST
    usual: Rule = Rule.LOWEST
    with_tax: bool = True
    seasons: bool = False
    no_loss: bool = False


EUROPE = Law()
CUT_BY_CUT = Law(least=Rule.FIRST_CUT, usual=Rule.FIRST_CUT)
FRANCE = Law(least=Rule.FIRST_CUT, usual=Rule.FIRST_CUT, seasons=True, no_loss=True)
AMERICA = Law(least=Rule.USUAL, usual=Rule.USUAL, with_tax=False)
ELSEWHERE = Law(least=Rule.USUAL, with_tax=False)

EUROPEAN = frozenset(
    {
        "AT",
        "BE",
        "BG",
        "CY",
        "CZ",
        "DK",
        "EE",
        "ES",
        "FI",
        "GR",
        "HR",
        "HU",
        "IE",
        "IS",
        "IT",
        "LI",
        "LT",
        "LU",
        "LV",
        "MT",
        "NL",
        "NO",
        "PL",
        "PT",
        "RO",
        "SE",
        "SI",
        "SK",
    }
)
FRENCH = frozenset({"FR", "GP", "MQ", "GF", "RE", "YT", "PM", "BL", "MF"})

LAWS = {
    **dict.fromkeys(EUROPEAN, EUROPE),
    **dict.fromkeys(FRENCH, FRANCE),
    "DE": CUT_BY_CUT,
    "US": AMERICA,
}


def law_of(country: str) -> Law:
    return LAWS.get(country.upper(), ELSEWHERE)


def rules_for(country: str) -> Sequence[Rule]:
    """Return the rules that a retailer of *country* may choose from."""
    return STRICTER[STRICTER.index(law_of(country).least) :]


def rule_of(retailer: Retailer) -> Rule:
    """Return what the retailer chose if it may, or what its country has."""
    allowed = {rule.value: rule for rule in rules_for(retailer.country)}
    return allowed.get(retailer.price_rule, law_of(retailer.country).usual)
