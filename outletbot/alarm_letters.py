"""What an alarm says: what is wrong, why, and where to do something about it."""

from collections.abc import Iterator
from dataclasses import dataclass

from offers.accounts import OUTLET
from offers.posts import PostState
from offers.retailers import Retailer
from offers.sentences import Sentence, load_sentence
from offers.shop_troubles import ShopTrouble
from offers.sources import FeedSource, Halt
from offers.troubles import AlarmKind, FeedAlarm, PostAlarm, Troubles
from outletbot.known_networks import network_name
from outletbot.printing import print_moment, say


@dataclass(frozen=True, slots=True)
class Words:
    subject: str
    body: str


def word_alarms(retailer: Retailer, troubles: Troubles, *, public_url: str) -> Words:
    """Return one letter about all *troubles*, in the retailer's language."""
    paragraphs = [
        *(_about_post(retailer, one, public_url) for one in troubles.posts),
        *_about_accounts(retailer, troubles, public_url),
        *(_about_feed(retailer, one, public_url) for one in troubles.feeds),
        *(_about_shop(retailer, one, public_url) for one in troubles.shops),
    ]
    closing = Sentence(
        "Settings say who is told: {address}", address=f"{public_url}/settings#alarms"
    )
    body = "\n\n".join([*paragraphs, say(closing, retailer.language)])
    return Words(say(_subject(retailer, troubles), retailer.language), f"{body}\n")


def word_test(retailer: Retailer) -> Words:
    """Return a letter that proves that mail arrives."""
    language, name = retailer.language, retailer.name
    subject = Sentence("{name}: a test", name=name)
    body = Sentence("This is where you are told if a post does not go out.")
    return Words(say(subject, language), f"{say(body, language)}\n")


def tell_post(alarm: PostAlarm) -> Sentence:
    """Return what is wrong with a post."""
    title, channel = alarm.deal.title, channel_name(alarm)
    if alarm.kind is AlarmKind.POST_LATE:
        return Sentence(
            "The post about “{title}” on {channel} is late.",
            title=title,
            channel=channel,
        )
    if alarm.kind is AlarmKind.POST_STANDS:
        return Sentence(
            "“{title}” is over, but its post on {channel} does not say so:"
            " change it there.",
            title=title,
            channel=channel,
        )
    if alarm.post.state is PostState.UNCONFIRMED:
        return Sentence(
            "The post about “{title}” on {channel} may be out or not: look there.",
            title=title,
            channel=channel,
        )
    return Sentence(
        "The post about “{title}” on {channel} failed.", title=title, channel=channel
    )


def tell_feed(alarm: FeedAlarm) -> Sentence:
    """Return what is wrong with a source of feeds."""
    name = source_name(alarm.source)
    if alarm.kind is AlarmKind.FEED_PAUSED:
        return Sentence(
            "The feed “{name}” is paused: a file has come that needs a look.", name=name
        )
    return Sentence("The feed “{name}” has brought nothing for a day.", name=name)


def tell_shop(trouble: ShopTrouble) -> Sentence:
    """Return what is wrong with a retailer's own shop."""
    return Sentence(
        "The shop “{name}” could not be told what was sold here: it may still sell it.",
        name=trouble.shop.name,
    )


def shop_address(trouble: ShopTrouble) -> str:
    """Return where something can be done about it."""
    return f"/shops/{trouble.shop.id}/sales"


def source_name(source: FeedSource) -> object:
    """Return what people call a source, as a fact for a sentence."""
    return source.name or Sentence("Watched folder")


def feed_reason(source: FeedSource) -> Sentence | None:
    """Return why a source halted, or else what came of it last."""
    said = source.halt_reason or source.result
    return load_sentence(said) if said else None


def feed_address(source: FeedSource) -> str:
    """Return where something can be done about it."""
    doubted = source.halt in {Halt.FIRST, Halt.DOUBT} and source.import_id
    return f"/feeds/{source.import_id}" if doubted else "/feeds/sources"


def channel_name(alarm: PostAlarm) -> object:
    """Return which channel a post is on, as a fact for a sentence."""
    account = alarm.account
    if account.kind == OUTLET:
        return Sentence("Outlet page")
    return f"{network_name(account.kind)} {account.handle}".strip()


def _subject(retailer: Retailer, troubles: Troubles) -> Sentence:
    name, feeds = retailer.name, len(troubles.feeds)
    several = len(troubles.posts) + len(troubles.accounts) + feeds
    several += len(troubles.shops)
    if several > 1:
        return Sentence(
            "{name}: {several} things to look at", name=name, several=several
        )
    if feeds:
        return Sentence("{name}: {what}", name=name, what=tell_feed(troubles.feeds[0]))
    if troubles.shops:
        return Sentence("{name}: {what}", name=name, what=tell_shop(troubles.shops[0]))
    if not troubles.posts:
        return Sentence("{name}: a channel needs a look", name=name)
    return Sentence("{name}: {what}", name=name, what=tell_post(troubles.posts[0]))


def _about_post(retailer: Retailer, alarm: PostAlarm, public_url: str) -> str:
    due = print_moment(alarm.post.first_due_at, retailer.zone, retailer.language)
    sentences = [
        tell_post(alarm),
        Sentence("It was due {moment}.", moment=due),
    ]
    lines = [" ".join(say(one, retailer.language) for one in sentences)]
    if alarm.post.failure:
        lines.append(alarm.post.failure)
    lines.append(f"{public_url}/deals/{alarm.deal.id}")
    return "\n".join(lines)


def _about_accounts(
    retailer: Retailer, troubles: Troubles, public_url: str
) -> Iterator[str]:
    for account in troubles.accounts:
        sentence = Sentence(
            "The channel {channel} {handle} needs a look: nothing goes out there.",
            channel=network_name(account.kind),
            handle=account.handle,
        )
        said = say(sentence, retailer.language)
        yield f"{said}\n{account.trouble}\n{public_url}/channels"


def _about_feed(retailer: Retailer, alarm: FeedAlarm, public_url: str) -> str:
    lines = [say(tell_feed(alarm), retailer.language)]
    if reason := feed_reason(alarm.source):
        lines.append(say(reason, retailer.language))
    lines.append(f"{public_url}{feed_address(alarm.source)}")
    return "\n".join(lines)


def _about_shop(retailer: Retailer, trouble: ShopTrouble, public_url: str) -> str:
    lines = [say(tell_shop(trouble), retailer.language), trouble.reason]
    return "\n".join([*filter(None, lines), f"{public_url}{shop_address(trouble)}"])
