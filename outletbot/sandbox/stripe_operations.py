"""The operations of Stripe's API that the sandbox performs: a function for each."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from stripe import params
from stripe.params import checkout

from outletbot.sandbox.stripe_balance import balance_of, ripen, transactions
from outletbot.sandbox.stripe_books import Account, Json
from outletbot.sandbox.stripe_connect import (
    account_object,
    check_charges,
    create_account,
    create_link,
    get_account,
)
from outletbot.sandbox.stripe_disputes import (
    answer_dispute,
    end_unanswered,
    lose_dispute,
)
from outletbot.sandbox.stripe_endpoints import (
    create_endpoint,
    delete_endpoint,
    get_endpoint,
    update_endpoint,
)
from outletbot.sandbox.stripe_events import events, get_event
from outletbot.sandbox.stripe_lists import line_items, page_of
from outletbot.sandbox.stripe_refunds import create_refund
from outletbot.sandbox.stripe_sessions import (
    create_session,
    end_lapsed_sessions,
    expire_session,
    get_session,
)
from outletbot.sandbox.stripe_state import StripeSandbox


@dataclass(frozen=True, slots=True)
class Errand:
    """What an operation needs: where, what was asked, which object, and when."""

    sandbox: StripeSandbox
    account: Account
    asked: Json
    object_id: str
    path: str
    key: str
    now: datetime


Work = Callable[[Errand], Json]


def _create_session(errand: Errand) -> Json:
    check_charges(errand.account, now=errand.now)
    return create_session(
        errand.account,
        errand.asked,
        now=errand.now,
        public_url=errand.sandbox.public_url,
    )


def _get_session(errand: Errand) -> Json:
    return get_session(errand.account, errand.object_id, now=errand.now)


def _expire_session(errand: Errand) -> Json:
    return expire_session(errand.account, errand.object_id, now=errand.now)


def _list_items(errand: Errand) -> Json:
    _get_session(errand)
    return line_items(errand.account, errand.object_id)


def _create_refund(errand: Errand) -> Json:
    return create_refund(errand.account, errand.asked, now=errand.now)


def _get_own_account(errand: Errand) -> Json:
    return account_object(errand.account, now=errand.now)


def _get_account(errand: Errand) -> Json:
    return get_account(errand.account, errand.key, errand.object_id, now=errand.now)


def _create_account(errand: Errand) -> Json:
    return create_account(errand.account, errand.asked, now=errand.now)


def _create_link(errand: Errand) -> Json:
    return create_link(
        errand.account,
        errand.asked,
        public_url=errand.sandbox.public_url,
        now=errand.now,
    )


def _create_endpoint(errand: Errand) -> Json:
    return create_endpoint(errand.account, errand.asked, now=errand.now)


def _get_endpoint(errand: Errand) -> Json:
    return get_endpoint(errand.account, errand.object_id)


def _list_endpoints(errand: Errand) -> Json:
    return page_of(
        errand.account,
        "webhook_endpoint",
        errand.asked,
        errand.path,
        only=lambda endpoint: endpoint["status"] != "deleted",
    )


def _update_endpoint(errand: Errand) -> Json:
    return update_endpoint(errand.account, errand.object_id, errand.asked)


def _delete_endpoint(errand: Errand) -> Json:
    return delete_endpoint(errand.account, errand.object_id)


def _list_events(errand: Errand) -> Json:
    _let_time_pass(errand)
    return events(errand.account, errand.asked, errand.path, now=errand.now)


def _get_event(errand: Errand) -> Json:
    return get_event(errand.account, errand.object_id, now=errand.now)


def _get_balance(errand: Errand) -> Json:
    return balance_of(errand.account, now=errand.now)


def _list_transactions(errand: Errand) -> Json:
    return transactions(errand.account, errand.asked, errand.path, now=errand.now)


def _answer_dispute(errand: Errand) -> Json:
    return answer_dispute(
        errand.account, errand.object_id, errand.asked, now=errand.now
    )


def _close_dispute(errand: Errand) -> Json:
    return lose_dispute(errand.account, errand.object_id, now=errand.now)


def _let_time_pass(errand: Errand) -> None:
    end_lapsed_sessions(errand.account, now=errand.now)
    end_unanswered(errand.account, now=errand.now)
    ripen(errand.account, now=errand.now)


def _get(kind: str) -> Work:
    def work(errand: Errand) -> Json:
        _let_time_pass(errand)
        return errand.account.get(kind, errand.object_id)

    return work


def _list(kind: str) -> Work:
    def work(errand: Errand) -> Json:
        _let_time_pass(errand)
        return page_of(errand.account, kind, errand.asked, errand.path)

    return work


SESSIONS = "/v1/checkout/sessions"
ENDPOINTS = "/v1/webhook_endpoints"

OPERATIONS: dict[tuple[str, str], tuple[type, Work]] = {
    ("POST", SESSIONS): (checkout.SessionCreateParams, _create_session),
    ("GET", SESSIONS): (checkout.SessionListParams, _list("checkout.session")),
    ("GET", f"{SESSIONS}/{{id}}"): (checkout.SessionRetrieveParams, _get_session),
    ("POST", f"{SESSIONS}/{{id}}/expire"): (
        checkout.SessionExpireParams,
        _expire_session,
    ),
    ("GET", f"{SESSIONS}/{{id}}/line_items"): (
        checkout.SessionListLineItemsParams,
        _list_items,
    ),
    ("POST", "/v1/refunds"): (params.RefundCreateParams, _create_refund),
    ("GET", "/v1/refunds"): (params.RefundListParams, _list("refund")),
    ("GET", "/v1/refunds/{id}"): (params.RefundRetrieveParams, _get("refund")),
    ("GET", "/v1/payment_intents/{id}"): (
        params.PaymentIntentRetrieveParams,
        _get("payment_intent"),
    ),
    ("GET", "/v1/charges/{id}"): (params.ChargeRetrieveParams, _get("charge")),
    ("GET", "/v1/disputes"): (params.DisputeListParams, _list("dispute")),
    ("GET", "/v1/disputes/{id}"): (params.DisputeRetrieveParams, _get("dispute")),
    ("POST", "/v1/disputes/{id}"): (params.DisputeUpdateParams, _answer_dispute),
    ("POST", "/v1/disputes/{id}/close"): (params.DisputeCloseParams, _close_dispute),
    ("GET", "/v1/events"): (params.EventListParams, _list_events),
    ("GET", "/v1/events/{id}"): (params.EventRetrieveParams, _get_event),
    ("GET", "/v1/balance_transactions"): (
        params.BalanceTransactionListParams,
        _list_transactions,
    ),
    ("GET", "/v1/balance_transactions/{id}"): (
        params.BalanceTransactionRetrieveParams,
        _get("balance_transaction"),
    ),
    ("GET", "/v1/balance"): (params.BalanceRetrieveParams, _get_balance),
    ("GET", "/v1/payouts"): (params.PayoutListParams, _list("payout")),
    ("GET", "/v1/payouts/{id}"): (params.PayoutRetrieveParams, _get("payout")),
    ("GET", "/v1/application_fees"): (
        params.ApplicationFeeListParams,
        _list("application_fee"),
    ),
    ("GET", "/v1/application_fees/{id}"): (
        params.ApplicationFeeRetrieveParams,
        _get("application_fee"),
    ),
    ("GET", "/v1/account"): (params.AccountRetrieveCurrentParams, _get_own_account),
    ("POST", "/v1/accounts"): (params.AccountCreateParams, _create_account),
    ("GET", "/v1/accounts/{id}"): (params.AccountRetrieveParams, _get_account),
    ("POST", "/v1/account_links"): (params.AccountLinkCreateParams, _create_link),
    ("POST", ENDPOINTS): (params.WebhookEndpointCreateParams, _create_endpoint),
    ("GET", ENDPOINTS): (params.WebhookEndpointListParams, _list_endpoints),
    ("GET", f"{ENDPOINTS}/{{id}}"): (
        params.WebhookEndpointRetrieveParams,
        _get_endpoint,
    ),
    ("POST", f"{ENDPOINTS}/{{id}}"): (
        params.WebhookEndpointUpdateParams,
        _update_endpoint,
    ),
    ("DELETE", f"{ENDPOINTS}/{{id}}"): (
        params.WebhookEndpointDeleteParams,
        _delete_endpoint,
    ),
}
