"""Where a payment is in Stripe's own dashboard, or in the sandbox that plays Stripe."""

from offers.payment_accounts import PaymentAccount
from outletbot.config import Settings

STRIPE_API = "https://api.stripe.com"
DASHBOARD = "https://dashboard.stripe.com"


def payment_address(
    settings: Settings, account: PaymentAccount | None, payment_id: str
) -> str:
    """Return the page of a payment; *account* is ``None`` for the house's own."""
    if settings.stripe_api_base != STRIPE_API:
        return f"{settings.stripe_api_base}/sandbox"
    livemode = settings.livemode if account is None else account.livemode
    whose = [account.provider_id] if account is not None else []
    mode = [] if livemode else ["test"]
    return "/".join([DASHBOARD, *whose, *mode, "payments", payment_id])
