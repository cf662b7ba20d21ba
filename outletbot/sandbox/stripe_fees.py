"""A platform's share of its connected accounts' payments: application fees.

The connected account sees it as a fee of its charge. The platform has it in its own
books, and gives it back in proportion when a refund says so.
"""

from datetime import datetime

import stripe

from outletbot.sandbox.stripe_balance import fee_detail, move_money
from outletbot.sandbox.stripe_books import Account, Json
from outletbot.sandbox.stripe_errors import Invalid
from outletbot.sandbox.stripe_objects import new
from outletbot.sandbox.stripe_rules import whole

APPLICATION = "ca_sandbox"


def earn_fee(account: Account, charge: Json, *, now: datetime) -> None:
    """Give the platform its share of a charge that has just succeeded."""
    platform, amount = account.platform, charge["application_fee_amount"]
    if platform is None or not amount:
        return
    fee = new(
        platform,
        stripe.ApplicationFee,
        "fee",
        now,
        object="application_fee",
        amount=amount,
        amount_refunded=0,
        application=APPLICATION,
        charge=charge["id"],
        currency=charge["currency"],
        fee_source={"charge": charge["id"], "payout": None, "type": "charge"},
        refunded=False,
    )
    fee.update(account=account.id, refunds=_no_refunds(fee))
    earned = move_money(platform, fee, "application_fee", amount=amount, now=now)
    fee["balance_transaction"] = earned["id"]
    charge.update(application=APPLICATION, application_fee=fee["id"])
    platform.tell("application_fee.created", platform.keep(fee), now=now)


def return_fee(
    account: Account, charge: Json, amount: int, *, now: datetime
) -> list[Json]:
    """Give back the share of *amount* that is refunded. Return it as a fee below 0.

    Raises:
        Invalid: If no platform had a share of this charge.
    """
    platform = account.platform
    if platform is None or charge["application_fee"] is None:
        message = (
            f"Only an application generating a fee can call refund_application_fee on "
            f"{charge['id']}."
        )
        raise Invalid(message, param="refund_application_fee")
    fee = platform.get("application_fee", charge["application_fee"])
    share = _share(fee, charge, amount)
    if not share:
        return []
    _return(platform, fee, share, now)
    text = "Application fee refund"
    return [fee_detail("application_fee", -share, charge["currency"], text)]


def _share(fee: Json, charge: Json, amount: int) -> int:
    """Return what is due; the refund that empties the charge empties the fee, too."""
    left: int = fee["amount"] - fee["amount_refunded"]
    if charge["amount_refunded"] + amount == charge["amount"]:
        return left
    share = int(fee["amount"] * amount / charge["amount"] + 0.5)
    return min(left, whole(share, fee["currency"]))


def _return(platform: Account, fee: Json, share: int, now: datetime) -> None:
    refund = new(
        platform,
        stripe.ApplicationFeeRefund,
        "fr",
        now,
        object="fee_refund",
        amount=share,
        currency=fee["currency"],
        fee=fee["id"],
        metadata={},
    )
    del refund["livemode"]
    kind = "application_fee_refund"
    given = move_money(platform, refund, kind, amount=-share, now=now)
    refund["balance_transaction"] = given["id"]
    fee["amount_refunded"] += share
    fee["refunded"] = fee["amount_refunded"] == fee["amount"]
    fee["refunds"]["data"].insert(0, platform.keep(refund))
    platform.tell("application_fee.refunded", platform.keep(fee), now=now)


def _no_refunds(fee: Json) -> Json:
    url = f"/v1/application_fees/{fee['id']}/refunds"
    return {"object": "list", "data": [], "has_more": False, "url": url}
