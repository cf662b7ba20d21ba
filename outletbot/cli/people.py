"""Commands that let retailers and their people in."""

from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from sqlmodel import Session

from offers.accounts import open_outlet
from offers.errors import InvalidField, Missing
from offers.merchants import Merchant, Role, add_merchant, find_merchant, invite
from offers.money import is_currency
from offers.retailers import Retailer, add_retailer, find_retailer_by_slug, new_retailer
from offers.sentences import Sentence
from outletbot import sealing
from outletbot.cli.common import open_database, out
from outletbot.clock import utc_now
from outletbot.config import Settings
from outletbot.languages import LANGUAGES


def add_to(cli: typer.Typer) -> None:
    cli.command("add-retailer")(add)
    cli.command("invite")(invite_merchant)
    cli.command("new-key")(new_key)


def add(
    slug: Annotated[str, typer.Argument(help="Short name, as in /o/NAME.")],
    name: Annotated[str, typer.Argument(help="The name that shoppers see.")],
    owner: Annotated[str, typer.Option(help="E-mail of the first merchant.")],
    country: Annotated[str, typer.Option(help="Two letters, such as FR.")] = "FR",
    currency: Annotated[str, typer.Option(help="Such as EUR.")] = "EUR",
    time_zone: Annotated[str, typer.Option(help="Such as Europe/Paris.")] = (
        "Europe/Paris"
    ),
    language: Annotated[
        str, typer.Option(help="Of its posts and people: en or fr.")
    ] = "",
) -> None:
    """Add a retailer and print the link with which its owner signs in."""
    check_retailer(slug, country=country, currency=currency, time_zone=time_zone)
    retailer = new_retailer(
        slug,
        name,
        country=country,
        currency=currency,
        time_zone=time_zone,
        now=utc_now(),
    )
    retailer.language = _read_language(language) or retailer.language
    with open_database() as database:
        token = database.transact_here(_add, retailer, owner)
    _print_link(token)


def invite_merchant(
    email: Annotated[str, typer.Argument(help="Whom to let in.")],
    retailer: Annotated[
        str, typer.Option(help="Where, if they are new: the retailer's short name.")
    ] = "",
    name: Annotated[str, typer.Option(help="Their name, if they are new.")] = "",
) -> None:
    """Print a link that signs somebody in, once, within three days."""
    with open_database() as database:
        token = database.transact_here(_invite, email, retailer, name)
    _print_link(token)


def new_key() -> None:
    """Print a fresh SECRET_KEY."""
    out.print(sealing.new_key(), markup=False, highlight=False)


def check_retailer(slug: str, *, country: str, currency: str, time_zone: str) -> None:
    """Raise ``InvalidField`` for the first thing that cannot be."""
    if not (slug.isascii() and slug.replace("-", "").isalnum() and slug.islower()):
        problem = Sentence("Use lower-case letters, digits and hyphens for the name.")
        raise InvalidField("slug", problem, slug)
    if not (len(country) == 2 and country.isascii() and country.isalpha()):
        problem = Sentence(
            "{country} is no country; write such as FR.", country=country
        )
        raise InvalidField("country", problem, country)
    if not is_currency(currency.lower()):
        problem = Sentence("{code} is no currency; write such as EUR.", code=currency)
        raise InvalidField("currency", problem, currency)
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        problem = Sentence(
            "{zone} is no time zone; write such as Europe/Paris.", zone=time_zone
        )
        raise InvalidField("time_zone", problem, time_zone) from error


def _read_language(language: str) -> str:
    if language and language not in LANGUAGES:
        problem = Sentence(
            "{language} is not spoken here; write en or fr.", language=language
        )
        raise InvalidField("language", problem, language)
    return language


def _add(session: Session, retailer: Retailer, owner: str) -> str:
    if find_retailer_by_slug(session, retailer.slug) is not None:
        problem = Sentence("There is a retailer {slug} already.", slug=retailer.slug)
        raise InvalidField("slug", problem, retailer.slug)
    now = retailer.created_at
    add_retailer(session, retailer)
    open_outlet(session, retailer, now=now)
    name = owner.partition("@")[0]
    merchant = add_merchant(
        session, retailer.id, owner, name=name, role=Role.OWNER, now=now
    )
    return invite(session, merchant, now=now)


def _invite(session: Session, email: str, slug: str, name: str) -> str:
    merchant = find_merchant(session, email) or _new(session, email, slug, name)
    return invite(session, merchant, now=utc_now())


def _new(session: Session, email: str, slug: str, name: str) -> Merchant:
    retailer = find_retailer_by_slug(session, slug)
    if retailer is None:
        raise Missing(slug or "(say --retailer)", "retailer")
    name = name or email.partition("@")[0]
    return add_merchant(session, retailer.id, email, name=name, now=utc_now())


def _print_link(token: str) -> None:
    url = f"{Settings.from_env().public_url}/invitations/{token}"
    words = f"This link signs in once, within three days:\n{url}"
    out.print(words, markup=False, highlight=False, soft_wrap=True)
