"""What an owner changes about how they are paid, with Stripe's consent.

Each change takes the form it was asked by and returns where to go on.
"""

import structlog
from aiohttp import web

from offers.connecting import (
    begin_connecting,
    choose_the_house,
    connect_own_key,
    disconnect_account,
    find_unproved,
    keep_webhook_secret,
    note_barred,
    note_standing,
)
from offers.errors import InvalidField
from offers.payment_accounts import (
    PaymentAccount,
    get_payment_account,
    payment_accounts,
)
from offers.reviews import let_go
from offers.sentences import Sentence
from outletbot.config import is_live
from outletbot.keys import (
    CLOCK,
    DATABASE,
    GATEWAYS,
    MERCHANT,
    RETAILER,
    SEAL,
    SETTINGS,
)
from outletbot.payments import Barred, Declined, PaymentError
from outletbot.web.forms import Form, read_text

HOME = "/settings/payments"
LONGEST_SECRET = 300

log = structlog.get_logger(__name__)


async def connect_key(request: web.Request, form: Form) -> str:
    key = read_key(form)
    connector = request.app[GATEWAYS].connector
    try:
        word = await connector.prove(key)
    except Barred as error:
        problem = Sentence("Stripe does not take this key: {said}", said=error)
        raise InvalidField("key", problem) from error
    if not word.enabled:
        raise InvalidField("key", Sentence("This account may not take payments yet."))
    account = await request.app[DATABASE].transact(
        connect_own_key,
        request[RETAILER].id,
        word.provider_id,
        name=word.name,
        sealed_key=request.app[SEAL].close(key),
        livemode=is_live(key),
        now=request.app[CLOCK](),
    )
    log.info("account_connected", account=account.id, provider=word.provider_id)
    if not account.sealed_webhook_secret:
        await _make_endpoint(request, account, key)
    return HOME


def read_key(form: Form) -> str:
    """Return a secret or restricted key of Stripe's.

    Raises:
        InvalidField: If there is none, or it is another kind of key.
    """
    key = read_text(form, "key", longest=LONGEST_SECRET, needed=True)
    if key.startswith("pk_"):
        raise InvalidField(
            "key", Sentence("This is the publishable key. Copy the restricted one.")
        )
    if not (key.startswith(("rk_", "sk_")) and key.isascii() and key.isprintable()):
        raise InvalidField(
            "key", Sentence("A key begins with rk_live_ or rk_test_. Copy it again.")
        )
    return key


async def _make_endpoint(
    request: web.Request, account: PaymentAccount, key: str
) -> None:
    """Have the account's events sent here, if the key may arrange that."""
    url = f"{request.app[SETTINGS].public_url}/webhooks/stripe/{account.id}"
    try:
        secret = await request.app[GATEWAYS].connector.make_endpoint(key, url)
    except PaymentError as error:  # then a person does it: the page says how
        log.warning("endpoint_not_made", account=account.id, reason=str(error))
        return
    await _keep_secret(request, account.id, secret)


async def _keep_secret(request: web.Request, account_id: str, secret: str) -> None:
    await request.app[DATABASE].transact(
        keep_webhook_secret,
        request[RETAILER].id,
        account_id,
        request.app[SEAL].close(secret),
        now=request.app[CLOCK](),
    )


async def take_secret(request: web.Request, form: Form) -> str:
    secret = read_text(form, "secret", longest=LONGEST_SECRET, needed=True)
    if not (secret.startswith("whsec_") and secret.isascii()) or "," in secret:
        problem = Sentence("A signing secret begins with whsec_. Copy it again.")
        raise InvalidField("secret", problem)
    account = await account_named(request)
    await _keep_secret(request, account.id, secret)
    return HOME


async def begin_onboarding(request: web.Request, _form: Form) -> str:
    unproved = await find_begun(request)
    if unproved is None:
        unproved = await _make_account(request)
    return await onboarding(request, unproved.provider_id)


async def _make_account(request: web.Request) -> PaymentAccount:
    retailer, settings = request[RETAILER], request.app[SETTINGS]
    connector = request.app[GATEWAYS].connector
    before = await request.app[DATABASE].read(payment_accounts, retailer.id)
    provider_id = await connector.make_account(
        retailer,
        request[MERCHANT].email,
        key=f"account-{retailer.id}-{len(before)}",
    )
    return await request.app[DATABASE].transact(
        begin_connecting,
        retailer.id,
        provider_id,
        fee_bps=settings.platform_fee_bps,
        livemode=settings.livemode,
        now=request.app[CLOCK](),
    )


async def onboarding(request: web.Request, provider_id: str) -> str:
    here = f"{request.app[SETTINGS].public_url}{HOME}"
    return await request.app[GATEWAYS].connector.onboarding(
        provider_id, back=f"{here}/back", again=f"{here}/again"
    )


async def find_begun(request: web.Request) -> PaymentAccount | None:
    database, retailer = request.app[DATABASE], request[RETAILER]
    return await database.read(find_unproved, retailer.id)


async def use_house(request: web.Request, _form: Form) -> str:
    await request.app[DATABASE].transact(choose_the_house, request[RETAILER].id)
    log.info("house_chosen", retailer=request[RETAILER].id)
    return HOME


async def disconnect(request: web.Request, form: Form) -> str:
    account_id = request.match_info["account_id"]
    await request.app[DATABASE].transact(
        disconnect_account,
        request[RETAILER].id,
        account_id,
        sure=form.get("sure") == "yes",
        now=request.app[CLOCK](),
    )
    log.info("account_disconnected", account=account_id)
    return HOME


async def release_hold(request: web.Request, _form: Form) -> str:
    hold_id = request.match_info["hold_id"]
    await request.app[DATABASE].transact(
        let_go, request[RETAILER].id, hold_id, now=request.app[CLOCK]()
    )
    log.info("hold_let_go", hold=hold_id, by=request[MERCHANT].id)
    return HOME


async def account_named(request: web.Request) -> PaymentAccount:
    account_id, retailer = request.match_info["account_id"], request[RETAILER]
    database = request.app[DATABASE]
    return await database.read(get_payment_account, retailer.id, account_id)


async def prove_account(request: web.Request, account_id: str) -> None:
    """Ask Stripe whether an account works, and note what it says.

    Raises:
        Unknown: If it says nothing.
    """
    database = request.app[DATABASE]
    try:
        gateway = await request.app[GATEWAYS].of(account_id)
        word = await gateway.standing()
    except Declined as error:
        log.warning("account_not_proved", account=account_id, reason=str(error))
        await database.transact(note_barred, account_id, str(error))
        return
    await database.transact(
        note_standing,
        account_id,
        enabled=word.enabled,
        name=word.name,
        now=request.app[CLOCK](),
    )
