"""Stripe's errors in our words: refused, barred, too fast, stuck, or nobody knows."""

import aiohttp
import stripe

from outletbot.payments import Barred, Declined, Stuck, TooFast, Unknown
from outletbot.stripe_refunds import PASSING

# What Stripe says if two requests were about the same thing, not that it was too much.
LOCKED = "lock_timeout"


class translated:  # noqa: N801  (read as a verb: with translated())
    """Stripe's errors in our words."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _tb: object) -> None:
        match error:
            case stripe.AuthenticationError() | stripe.PermissionError():
                raise Barred(_words(error), passing=True) from error
            case stripe.RateLimitError() if _code(error) != LOCKED:
                raise TooFast(_words(error)) from error
            case stripe.InvalidRequestError() | stripe.IdempotencyError():
                code = error.code or ""
                passing = code in PASSING
                raise Declined(_words(error), code=code, passing=passing) from error
            case stripe.StripeError() if _is_replayed(error):
                raise Stuck(_words(error)) from error
            case stripe.StripeError() | aiohttp.ClientError() | TimeoutError():
                raise Unknown(_words(error)) from error


def _is_replayed(error: stripe.StripeError) -> bool:
    """Whether it is what the same key was answered before.

    See https://docs.stripe.com/api/idempotent_requests.
    """
    said = {name.lower(): value for name, value in (error.headers or {}).items()}
    return said.get("idempotent-replayed") == "true"


def _code(error: stripe.StripeError) -> str:
    """Return Stripe's word for what went wrong; not every error has it at hand."""
    return error.code or getattr(error.error, "code", None) or ""


def _words(error: BaseException) -> str:
    said = getattr(error, "user_message", None) or str(error) or type(error).__name__
    return " ".join(str(said).split())
