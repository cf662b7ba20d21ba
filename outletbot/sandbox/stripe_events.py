"""Events as they can be asked for: of one account, for thirty days."""

from datetime import datetime, timedelta

from outletbot.sandbox.stripe_books import Account, Json
from outletbot.sandbox.stripe_errors import Invalid, no_such
from outletbot.sandbox.stripe_lists import page_of

KEPT_FOR = timedelta(days=30)
MOST_TYPES = 20


def events(account: Account, asked: Json, url: str, *, now: datetime) -> Json:
    """Return a page of the events that are still kept.

    Raises:
        Invalid: If their types are asked for in two ways, or too many.
    """
    if "type" in asked and "types" in asked:
        message = "You may only specify one of these parameters: type, types."
        raise Invalid(message, param="types")
    if len(asked.get("types", [])) > MOST_TYPES:
        message = f"You can only filter by up to {MOST_TYPES} types."
        raise Invalid(message, param="types")
    oldest = (now - KEPT_FOR).timestamp()
    return page_of(
        account, "event", asked, url, only=lambda event: event["created"] > oldest
    )


def get_event(account: Account, event_id: str, *, now: datetime) -> Json:
    """Return an event.

    Raises:
        StripeRefusal: If this account has none, or it is too long ago.
    """
    event = account.get("event", event_id)
    if event["created"] <= (now - KEPT_FOR).timestamp():
        raise no_such("event", event_id)
    return event
