"""Everything that can go wrong for a reason a retailer or shopper would recognise.

    OfferError
    ├── NotFound        Missing
    ├── Unavailable     DealClosed, SoldOut, LimitReached, PaidTooLate, …
    ├── Refused         InvalidField, NotEnoughStock, …
    └── TooMany         TooManyAttempts

The four branches are what the web maps to 404, 409, 422 and 429.
"""

from datetime import timedelta

from offers.sentences import Sentence


class OfferError(Exception):
    """Something the caller asked for cannot be done; *sentence* says why."""

    code = "offer_error"

    def __init__(self, sentence: Sentence) -> None:
        super().__init__(str(sentence))
        self.sentence = sentence


class NotFound(OfferError):
    """There is no such thing, or it is another retailer's."""


class Unavailable(OfferError):
    """It exists, but not in the state or quantity asked for."""


class Refused(OfferError):
    """The request itself makes no sense."""


class TooMany(OfferError):
    """Asked too often; again after *after*."""

    def __init__(self, sentence: Sentence, *, after: timedelta) -> None:
        super().__init__(sentence)
        self.after = after


KINDS = {
    "channelaccount": Sentence("channel"),
    "deal": Sentence("deal"),
    "delivery": Sentence("delivery"),
    "feedimport": Sentence("feed"),
    "hold": Sentence("hold"),
    "merchant": Sentence("merchant"),
    "offer": Sentence("offer"),
    "order": Sentence("order"),
    "paymentaccount": Sentence("payment account"),
    "picture": Sentence("picture"),
    "post": Sentence("post"),
    "refund": Sentence("refund"),
    "reservation": Sentence("reservation"),
    "retailer": Sentence("retailer"),
}
"""What people call the things that may be missing."""


class Missing(NotFound):
    """There is no *kind* with this *key* at this retailer."""

    code = "not_found"

    def __init__(self, key: str, kind: str) -> None:
        named = KINDS.get(kind, kind)
        super().__init__(Sentence("There is no {kind} {key}.", kind=named, key=key))
        self.kind = kind
        self.key = key


class DealClosed(Unavailable):
    code = "deal_closed"

    def __init__(self, deal_id: str) -> None:
        super().__init__(Sentence("This deal has ended."))
        self.deal_id = deal_id


class DealNotOpen(Unavailable):
    code = "deal_not_open"

    def __init__(self, deal_id: str) -> None:
        super().__init__(Sentence("This deal has not opened yet."))
        self.deal_id = deal_id


class SoldOut(Unavailable):
    code = "sold_out"

    def __init__(self, deal_id: str, *, wanted: int, left: int) -> None:
        super().__init__(
            Sentence("Only {left} left.", left=left) if left else Sentence("Sold out.")
        )
        self.deal_id = deal_id
        self.wanted = wanted
        self.left = left


class AllHeld(Unavailable):
    """Every unit left is held by somebody who is paying; some may come back."""

    code = "all_held"

    def __init__(self, deal_id: str) -> None:
        super().__init__(
            Sentence("Every unit is being paid for just now. Some may come back.")
        )
        self.deal_id = deal_id


class LimitReached(Unavailable):
    code = "limit_reached"

    def __init__(self, limit: int) -> None:
        super().__init__(
            Sentence("This deal is limited to {limit} per person.", limit=limit)
        )
        self.limit = limit


class AddressLimitReached(Unavailable):
    """So many from one network are more likely a machine than a household."""

    code = "address_limit_reached"

    def __init__(self, limit: int) -> None:
        super().__init__(
            Sentence(
                "Your network has {limit} holds of this deal already. Try another one.",
                limit=limit,
            )
        )
        self.limit = limit


class PaidTooLate(Unavailable):
    code = "paid_too_late"

    def __init__(self, hold_id: str) -> None:
        super().__init__(
            Sentence("The time to pay had run out and the units are gone.")
        )
        self.hold_id = hold_id


class ShopSold(PaidTooLate):
    """It was paid in time, but the shop had sold the units: not the shopper's doing."""

    code = "shop_sold"


class WrongState(Unavailable):
    """What was asked for is no longer, or not yet, possible."""

    code = "wrong_state"


class InvalidField(Refused):
    """*field* of a form or message cannot be *value*; the sentence says what can."""

    code = "invalid_field"

    def __init__(self, field: str, problem: Sentence, value: str = "") -> None:
        super().__init__(problem)
        self.field = field
        self.value = value


class InvalidFields(Refused):
    """Several fields at once, so that a form is mended in one go."""

    code = "invalid_fields"

    def __init__(self, problems: list[InvalidField]) -> None:
        super().__init__(Sentence("Some fields need another look."))
        self.problems = problems


class TooManyAttempts(TooMany):
    code = "too_many_attempts"

    def __init__(self, *, after: timedelta) -> None:
        minutes = max(1, round(after.total_seconds() / 60))
        super().__init__(
            Sentence("Too many attempts. Try again in {minutes} min.", minutes=minutes),
            after=after,
        )
