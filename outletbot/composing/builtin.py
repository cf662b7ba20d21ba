"""What is said where a retailer has no words of its own, in the retailer's language."""

from datetime import timedelta

from offers.deals import Deal
from offers.honesty import Rule
from offers.posts import PostKind
from outletbot.languages import translations
from outletbot.printing import print_duration


def builtin_body(kind: PostKind, language: str, rule: Rule = Rule.LOWEST) -> str:
    """Return the template that outletbot comes with for a *kind* of post.

    By *rule* it says what the price before is.
    """
    gettext = translations(language).gettext
    price = _price_line(rule, language)
    match kind:
        case PostKind.OVER:
            offers = gettext("See what else there is: {next}")
            return f"{{outcome}} · {{title}}\n{offers}\n{{link}}"
        case PostKind.HALF_GONE:
            title = gettext("Half gone: {title}")
            facts = [gettext("{units} of {allotment} left, until {ends}")]
        case PostKind.LAST_UNITS:
            title = gettext("Last units: {title}")
            facts = [gettext("Only {units} left, until {ends}")]
        case PostKind.ENDING:
            title = gettext("Ending soon: {title}")
            facts = [gettext("{units} left, until {ends}")]
        case _:
            title = "{title}"
            facts = [gettext("{units} available, until {ends}"), "{pitch}"]
    return "\n".join([title, price, *facts, "{hashtags}", "{link}"])


def _price_line(rule: Rule, language: str) -> str:
    gettext = translations(language).gettext
    match rule:
        case Rule.FIRST_CUT:
            return gettext("{price} (-{percent}%, price before the first cut: {prior})")
        case Rule.USUAL:
            return gettext("{price} (-{percent}%, usual price: {prior})")
        case _:
            return gettext(
                "{price} (-{percent}%, lowest price of the last 30 days: {prior})"
            )


def outcome_of(deal: Deal, language: str) -> str:
    """Return how a deal came to its end, in a word before all others."""
    gettext = translations(language).gettext
    if deal.sold_out_at is None:
        return gettext("ENDED")
    lasted = deal.sold_out_at - deal.opens_at
    if lasted < timedelta(seconds=1):
        return gettext("SOLD OUT")
    duration = print_duration(lasted, language)
    return gettext("SOLD OUT after {duration}").format(duration=duration)


def where_links_are_dead(language: str) -> str:
    """Return what to do with a link on a network where nobody can tap it."""
    gettext = translations(language).gettext
    return gettext("Type this address, or use the link in our profile:")
