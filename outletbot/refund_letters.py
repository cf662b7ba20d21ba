"""What a shopper is told whose money comes back because the shop had sold the units."""

from dataclasses import dataclass

from offers.holds import Hold
from offers.refunds import Refund
from offers.retailers import Retailer
from offers.sentences import Sentence
from outletbot.printing import print_money, say


@dataclass(frozen=True, slots=True)
class Words:
    subject: str
    body: str


def word_refund(
    retailer: Retailer, hold: Hold, refund: Refund, *, public_url: str
) -> Words:
    """Return the letter, in the retailer's language."""
    language = retailer.language
    price = print_money(refund.money, language)
    paragraphs = [
        Sentence(
            "You paid {price} for “{title}” at {name}. While you were paying, the last"
            " units were sold in the shop itself, so yours is not there any more.",
            price=price,
            title=hold.title,
            name=retailer.name,
        ),
        Sentence(
            "We are sorry. All of your money goes back to where it came from; banks"
            " take 5 to 10 days to show it. You need not do anything."
        ),
        Sentence("How far it is: {address}", address=f"{public_url}/h/{hold.token}"),
    ]
    subject = Sentence("{name}: your money is on its way back", name=retailer.name)
    body = "\n\n".join(say(each, language) for each in paragraphs)
    return Words(say(subject, language), f"{body}\n")
