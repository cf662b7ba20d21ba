"""
Rows and values for tests: valid unless told otherwise, committed at once.

What belongs to nobody in particular belongs to the retailer ``north``, made when first
needed. Units add up: a hold or an order that is made is counted in its deal.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from sqlmodel import Session, SQLModel, col, select
from sqlmodel.sql.expression import SelectOfScalar

from offers.accounts import OUTLET, ChannelAccount
from offers.catalog import Offer
from offers.checkouts import Checkout, CheckoutState, Paid
from offers.claims import Claim
from offers.deals import Deal
from offers.declarations import DeclaredPrice, PriceDeclaration, Scope
from offers.disputes import Dispute
from offers.echoes import Echo
from offers.feed.rows import FeedRow
from offers.holds import ACTIVE, UNPAGED, Hold, HoldState
from offers.ids import new_code, new_id
from offers.imports import FeedImport, ImportState
from offers.ledger import LedgerEntry
from offers.merchants import Merchant, Role
from offers.money import Money
from offers.orders import Order
from offers.payment_accounts import PaymentAccount, PaymentAccountKind
from offers.posts import Post, PostState
from offers.prices import PricePoint
from offers.readings import Reading, Subject
from offers.refunds import Refund
from offers.retailers import Retailer
from offers.rules import MarkdownRule, RuleField
from offers.shops import ShopConnection, ShopItem, ShopKind
from offers.sources import FeedSource, SourceKind
from offers.stock import Cause
from offers.weeks import Week
from webhooks.inbox import Arrival, new_arrival
from webhooks.outbox import Delivery

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

KEY = "bm9ydGgtbm9ydGgtbm9ydGgtbm9ydGgtbm9ydGgtMSE="
"""A key to seal with, for tests alone."""

Row = TypeVar("Row", bound=SQLModel)


def make_retailer(
    session: Session, slug: str = "south", *, name: str = "", **facts: Any
) -> Retailer:
    retailer = Retailer(
        id=new_id("retailer", NOON),
        slug=slug,
        name=name or slug.title(),
        country=facts.pop("country", "IE"),
        currency=facts.pop("currency", "eur"),
        time_zone=facts.pop("time_zone", "Europe/Dublin"),
        created_at=facts.pop("created_at", NOON - 365 * DAY),
        **facts,
    )
    return _keep(session, retailer)


def north(session: Session) -> Retailer:
    """Return the retailer of everything that is nobody's in particular."""
    found = _first(session, select(Retailer).where(Retailer.slug == "north"))
    return found or make_retailer(session, "north", name="North & Sons")


def make_merchant(
    session: Session,
    email: str = "ana@north.example",
    *,
    retailer_id: str = "",
    name: str = "Ana",
    role: Role = Role.OWNER,
    password_hash: str | None = None,
) -> Merchant:
    merchant = Merchant(
        id=new_id("merchant", NOON),
        retailer_id=retailer_id or north(session).id,
        email=email,
        name=name,
        role=role,
        password_hash=password_hash,
        created_at=NOON - 30 * DAY,
    )
    return _keep(session, merchant)


def make_account(
    session: Session, kind: str = "mastodon", *, retailer_id: str = "", **facts: Any
) -> ChannelAccount:
    account = ChannelAccount(
        id=new_id("account", NOON),
        retailer_id=retailer_id or north(session).id,
        kind=kind,
        handle=facts.pop("handle", "north"),
        base_url=facts.pop("base_url", ""),
        connected_at=facts.pop("connected_at", NOON - 30 * DAY),
        proved_at=facts.pop("proved_at", NOON - HOUR),
        **facts,
    )
    return _keep(session, account)


def outlet_account(session: Session, retailer_id: str = "") -> ChannelAccount:
    """Return the retailer's own wall, made when first needed."""
    retailer_id = retailer_id or north(session).id
    wanted = (ChannelAccount.retailer_id == retailer_id, ChannelAccount.kind == OUTLET)
    found = _first(session, select(ChannelAccount).where(*wanted))
    return found or make_account(session, OUTLET, retailer_id=retailer_id)


def make_payment_account(
    session: Session, *, retailer_id: str = "", **facts: Any
) -> PaymentAccount:
    """Make an account that takes its retailer's money, by a key of its own."""
    account = PaymentAccount(
        id=new_id("payacc", NOON),
        retailer_id=retailer_id or north(session).id,
        kind=facts.pop("kind", PaymentAccountKind.OWN_KEY),
        provider_id=facts.pop("provider_id", "acct_north"),
        livemode=facts.pop("livemode", False),
        connected_at=facts.pop("connected_at", NOON - DAY),
        proved_at=facts.pop("proved_at", NOON - DAY),
        **facts,
    )
    return _keep(session, account)


def make_offer(
    session: Session,
    *,
    retailer_id: str = "",
    sku: str = "",
    title: str = "Last season's parka",
    price_amount: int = 9_900,
    cost_amount: int | None = 2_500,
    quantity: int | None = 10,
    currency: str = "eur",
    **facts: Any,
) -> Offer:
    """Make an offer; its price is not in the log yet, for that is ``make_price``."""
    offer = Offer(
        id=new_id("offer", NOON),
        retailer_id=retailer_id or north(session).id,
        sku=sku or f"SKU-{new_code()[:8]}",
        title=title,
        price_amount=price_amount,
        cost_amount=cost_amount,
        quantity=quantity,
        currency=currency,
        counted_at=facts.pop(
            "counted_at", None if quantity is None else NOON - 2 * HOUR
        ),
        imported_at=facts.pop("imported_at", NOON - 2 * HOUR),
        **facts,
    )
    return _keep(session, offer)


def make_price(
    session: Session,
    offer: Offer,
    amount: int,
    at: datetime,
    *,
    currency: str = "",
    source: str = "test",
) -> PricePoint:
    """Log that *offer* cost *amount* from *at* on."""
    point = PricePoint(
        id=new_id("price", at),
        retailer_id=offer.retailer_id,
        offer_id=offer.id,
        price_amount=amount,
        currency=currency or offer.currency,
        applied_at=at,
        source=source,
    )
    return _keep(session, point)


def make_declaration(
    session: Session, offer: Offer | None = None, *, amount: int = 9_900
) -> PriceDeclaration:
    """Declare that *offer* cost *amount* in the 60 days up to yesterday."""
    offer = offer or make_offer(session)
    today = NOON.date()
    declaration = PriceDeclaration(
        id=new_id("declaration", NOON),
        retailer_id=offer.retailer_id,
        scope=Scope.OFFER,
        subject_id=offer.id,
        from_on=today - 60 * DAY,
        to_on=today - DAY,
        basis="The till says so.",
        declared_by="merchant_1",
        name="Ana",
        declared_at=NOON,
    )
    _keep(session, declaration)
    said = DeclaredPrice(
        declaration_id=declaration.id,
        offer_id=offer.id,
        retailer_id=offer.retailer_id,
        price_amount=amount,
        currency=offer.currency,
    )
    _keep(session, said)
    return declaration


def make_deal(
    session: Session,
    offer: Offer | None = None,
    *,
    retailer_id: str = "",
    price_amount: int = 4_999,
    allotment: int = 10,
    opens_at: datetime = NOON - HOUR,
    closes_at: datetime | None = None,
    **facts: Any,
) -> Deal:
    """Make a deal as it is at ``NOON``, with its post on the retailer's wall."""
    closes_at = closes_at or max(NOON, opens_at) + HOUR
    offer = offer or make_offer(session, retailer_id=retailer_id, quantity=allotment)
    deal = Deal(
        id=new_id("deal", NOON),
        retailer_id=offer.retailer_id,
        offer_id=offer.id,
        title=facts.pop("title", offer.title),
        price_amount=price_amount,
        currency=offer.currency,
        allotment=allotment,
        limit_per_shopper=facts.pop("limit_per_shopper", 2),
        opens_at=opens_at,
        closes_at=closes_at,
        created_at=facts.pop("created_at", min(opens_at, NOON) - HOUR),
        opened_at=facts.pop("opened_at", opens_at if opens_at <= NOON else None),
        closed_at=facts.pop("closed_at", closes_at if closes_at <= NOON else None),
        **facts,
    )
    _keep(session, deal)
    make_post(session, deal)
    return deal


def make_post(
    session: Session, deal: Deal, account: ChannelAccount | None = None, **facts: Any
) -> Post:
    """Make a post of *deal*: published if the deal has opened."""
    account = account or outlet_account(session, deal.retailer_id)
    if deal.opened_at is not None:
        facts = {
            "state": PostState.PUBLISHED,
            "text": f"{deal.title}: {deal.price}",
            "published_at": deal.opened_at,
            "attempts": 1,
            "fence": 1,
            "remote_id": new_code()[:10],
            "url": "https://social.example/1",
            **facts,
        }
    post = Post(
        id=new_id("post", NOON),
        retailer_id=deal.retailer_id,
        deal_id=deal.id,
        account_id=account.id,
        channel=account.kind,
        code=new_code(),
        due_at=facts.pop("due_at", deal.opens_at),
        first_due_at=facts.pop("first_due_at", deal.opens_at),
        **facts,
    )
    return _keep(session, post)


def post_of(session: Session, deal: Deal) -> Post:
    """Return the post of *deal* on the retailer's wall."""
    wanted = (Post.deal_id == deal.id, Post.channel == OUTLET)
    found = _first(session, select(Post).where(*wanted).order_by(col(Post.id)))
    assert found is not None
    return found


def make_rule(session: Session, value: str = "Jackets", **facts: Any) -> MarkdownRule:
    rule = MarkdownRule(
        id=new_id("rule", NOON),
        retailer_id=facts.pop("retailer_id", "") or north(session).id,
        place=facts.pop("place", 1),
        field=facts.pop("field", RuleField.CATEGORY),
        value=value,
        markdown_percent=facts.pop("markdown_percent", 40),
        margin_percent=facts.pop("margin_percent", 5),
        changed_at=NOON,
        **facts,
    )
    return _keep(session, rule)


def make_week_of(session: Session, *deals: Deal, **facts: Any) -> Week:
    """Make the row that says that *deals* were made in one go."""
    week = Week(
        id=new_id("week", NOON),
        retailer_id=deals[0].retailer_id if deals else north(session).id,
        key=facts.pop("key", "") or new_code(),
        deal_ids=json.dumps([deal.id for deal in deals]),
        made_at=NOON,
        **facts,
    )
    return _keep(session, week)


def make_claim(session: Session, deal: Deal, **facts: Any) -> Claim:
    """Make the wish of a shopper that nobody knows yet, for one unit."""
    return Claim(
        deal_id=deal.id,
        post_id=facts.pop("post_id", "") or post_of(session, deal).id,
        key=facts.pop("key", "") or new_code(),
        shopper=facts.pop("shopper", "") or new_code(),
        **facts,
    )


def make_hold(
    session: Session,
    deal: Deal | None = None,
    *,
    state: HoldState = HoldState.HELD,
    quantity: int = 1,
    post_id: str = "",
    held_at: datetime = NOON,
    **facts: Any,
) -> Hold:
    """Make a hold in *state*, with all that a hold in that state has."""
    deal = deal or make_deal(session)
    hold_id = new_id("hold", held_at)
    if state is HoldState.RESERVED:
        facts = {"pickup_code": new_code()[:8], **facts}
    elif state is not HoldState.HELD:
        facts = {"request": f'{{"client_reference_id": "{hold_id}"}}', **facts}
    if state not in (*UNPAGED, HoldState.RESERVED):
        page = {"checkout_id": f"cs_{hold_id}", "checkout_url": "https://pay.example/1"}
        facts = {**page, **facts}
    hold = Hold(
        id=hold_id,
        retailer_id=deal.retailer_id,
        deal_id=deal.id,
        post_id=post_id or post_of(session, deal).id,
        token=new_code(),
        key=facts.pop("key", "") or new_code(),
        shopper=facts.pop("shopper", "") or new_code(),
        title=deal.title,
        quantity=quantity,
        unit_amount=facts.pop("unit_amount", deal.price_amount),
        currency=deal.currency,
        state=state,
        held_at=held_at,
        expires_at=facts.pop("expires_at", held_at + deal.hold_for),
        **facts,
    )
    deal.held += quantity if state in ACTIVE else 0
    deal.sold += quantity if state is HoldState.PAID else 0
    session.add(deal)
    return _keep(session, hold)


def make_order(
    session: Session,
    deal: Deal | None = None,
    *,
    quantity: int = 1,
    post_id: str = "",
    paid_at: datetime = NOON,
    **facts: Any,
) -> Order:
    """Make an order and the hold it was."""
    deal = deal or make_deal(session)
    hold = make_hold(
        session,
        deal,
        state=HoldState.PAID,
        quantity=quantity,
        post_id=post_id,
        held_at=paid_at - MINUTE,
        ended_at=paid_at,
    )
    order = Order(
        id=new_id("order", paid_at),
        retailer_id=hold.retailer_id,
        deal_id=hold.deal_id,
        post_id=hold.post_id,
        hold_id=hold.id,
        code=new_code(),
        payment_id=facts.pop("payment_id", f"pi_{hold.id}"),
        title=hold.title,
        quantity=hold.quantity,
        total_amount=hold.total.amount,
        currency=hold.currency,
        email=facts.pop("email", "sam@example.com"),
        name=facts.pop("name", "Sam Shopper"),
        paid_at=paid_at,
        **facts,
    )
    return _keep(session, order)


def make_checkout(hold: Hold, **facts: Any) -> Checkout:
    """Make the provider's word that *hold* is paid."""
    return Checkout(
        id=facts.pop("id", hold.checkout_id or f"cs_{hold.id}"),
        hold_id=hold.id,
        state=facts.pop("state", CheckoutState.COMPLETE),
        paid=facts.pop("paid", Paid.PAID),
        total=facts.pop("total", hold.total),
        livemode=facts.pop("livemode", False),
        account_id=facts.pop("account_id", hold.account_id),
        url=facts.pop("url", "https://pay.example/1"),
        payment_id=facts.pop("payment_id", f"pi_{hold.id}"),
        email=facts.pop("email", "sam@example.com"),
        name=facts.pop("name", "Sam Shopper"),
        **facts,
    )


def make_refund(
    session: Session,
    hold: Hold | None = None,
    *,
    of: Order | None = None,
    **facts: Any,
) -> Refund:
    """Make a refund of a payment that came too late, or *of* an order."""
    if of is not None:
        hold = session.get_one(Hold, of.hold_id)
        facts = {"payment_id": of.payment_id, "order_id": of.id, **facts}
        facts.setdefault("reason", "requested_by_customer")
    hold = hold or make_hold(session, state=HoldState.RELEASED)
    refund = Refund(
        id=new_id("refund", NOON),
        retailer_id=hold.retailer_id,
        hold_id=hold.id,
        payment_id=facts.pop("payment_id", f"pi_{hold.id}"),
        amount=facts.pop("amount", hold.total.amount),
        currency=hold.currency,
        reason=facts.pop("reason", "paid_too_late"),
        asked_at=facts.pop("asked_at", NOON),
        due_at=facts.pop("due_at", NOON),
        **facts,
    )
    return _keep(session, refund)


def make_dispute(session: Session, order: Order, **facts: Any) -> Dispute:
    """Make a dispute of an order whose money the bank has taken meanwhile."""
    dispute = Dispute(
        id=new_id("dispute", NOON),
        retailer_id=order.retailer_id,
        account_id=order.account_id,
        provider_id=facts.pop("provider_id", "") or f"dp_{new_code()[:14]}",
        payment_id=order.payment_id,
        order_id=order.id,
        amount=facts.pop("amount", order.total_amount),
        withdrawn_amount=facts.pop("withdrawn_amount", order.total_amount),
        currency=order.currency,
        reason=facts.pop("reason", "product_not_received"),
        state=facts.pop("state", "needs_response"),
        due_by=facts.pop("due_by", NOON + 7 * DAY),
        opened_at=facts.pop("opened_at", NOON),
        version=facts.pop("version", NOON),
        **facts,
    )
    return _keep(session, dispute)


def make_entry(
    session: Session, order: Order | None = None, amount: int = 0, **facts: Any
) -> LedgerEntry:
    """Make an entry of the provider's books: the payment of *order*, without a fee."""
    amount = amount or (order.total_amount if order else 4_999)
    currency = facts.pop("currency", order.currency if order else "eur")
    fee = facts.pop("fee", 0)
    about = (
        {}
        if order is None
        else {
            "retailer_id": order.retailer_id,
            "account_id": order.account_id,
            "payment_id": order.payment_id,
            "order_id": order.id,
        }
    )
    plain = {
        "id": new_id("entry", NOON),
        "account_id": "",
        "transaction_id": f"txn_{new_code()[:20]}",
        "kind": "charge",
        "amount": amount,
        "fee": fee,
        "net": amount - fee,
        "currency": currency,
        "source_amount": amount,
        "source_currency": currency,
        "happened_at": NOON,
    }
    entry = LedgerEntry(**{**plain, **about, **facts})
    return _keep(session, entry)


def make_reading(session: Session, account_id: str = "", **facts: Any) -> Reading:
    """Make how far an account's books were read: to their end, an hour after noon."""
    reading = Reading(
        id=new_id("reading", NOON),
        account_id=account_id,
        subject=facts.pop("subject", Subject.BOOKS),
        due_at=facts.pop("due_at", NOON + HOUR),
        read_at=facts.pop("read_at", NOON + HOUR),
        **facts,
    )
    return _keep(session, reading)


def make_shop(
    session: Session,
    kind: ShopKind = ShopKind.SHOPIFY,
    *,
    retailer_id: str = "",
    **facts: Any,
) -> ShopConnection:
    """Make the connection of a retailer's shop, which has no secret yet."""
    shop = ShopConnection(
        id=new_id("shop", NOON),
        retailer_id=retailer_id or north(session).id,
        kind=kind,
        name=facts.pop("name", "North's shop"),
        address=facts.pop("address", "https://north.myshopify.com"),
        created_at=facts.pop("created_at", NOON - DAY),
        **facts,
    )
    return _keep(session, shop)


def make_shop_item(
    session: Session, shop: ShopConnection, item_key: str, sku: str, **facts: Any
) -> ShopItem:
    """Let *shop* know an offer by a key of its own."""
    item = ShopItem(
        id=new_id("item", NOON),
        retailer_id=shop.retailer_id,
        shop_id=shop.id,
        item_key=item_key,
        sku=sku,
        learned_at=NOON - DAY,
        **facts,
    )
    return _keep(session, item)


def make_echo(
    session: Session, offer: Offer | None = None, *, change: int = -1, **facts: Any
) -> Echo:
    """Make what a shop is owed of a sale; the shop is named, and need not be there."""
    offer = offer or make_offer(session)
    echo = Echo(
        id=new_id("echo", NOON),
        retailer_id=offer.retailer_id,
        shop_id=facts.pop("shop_id", "shop_1"),
        offer_id=offer.id,
        sku=offer.sku,
        change=change,
        cause=facts.pop("cause", Cause.ORDER),
        source_id=facts.pop("source_id", new_id("order", NOON)),
        due_at=facts.pop("due_at", NOON),
        created_at=facts.pop("created_at", NOON),
        **facts,
    )
    return _keep(session, echo)


def make_row(sku: str = "PARKA-M", **facts: Any) -> FeedRow:
    """Make a good row of a feed that says little beside what it must."""
    amount, currency = facts.pop("price_amount", 9_900), facts.pop("currency", "eur")
    plain: dict[str, Any] = {
        "line": 2,
        "parent_key": None,
        "title": "Last season's parka",
        "description": None,
        "brand": None,
        "category": None,
        "list_price": None,
        "price": Money(amount, currency),
        "cost": None,
        "quantity": 10,
        "gtin": None,
        "condition": None,
        "image_url": None,
        "options": (),
        "tax": "included",
    }
    return FeedRow(sku=sku, **{**plain, **facts})


def make_import(session: Session, *, retailer_id: str = "", **facts: Any) -> FeedImport:
    feed = FeedImport(
        id=facts.pop("id", "") or new_id("feed", NOON),
        retailer_id=retailer_id or north(session).id,
        file_name=facts.pop("file_name", "overstock.csv"),
        sha256=facts.pop("sha256", "0" * 64),
        size=facts.pop("size", 1_000),
        currency=facts.pop("currency", "eur"),
        state=facts.pop("state", ImportState.UPLOADED),
        created_at=facts.pop("created_at", NOON - MINUTE),
        **facts,
    )
    return _keep(session, feed)


def make_source(session: Session, *, retailer_id: str = "", **facts: Any) -> FeedSource:
    """Make an address from which feeds are fetched, due now."""
    source = FeedSource(
        id=new_id("source", NOON),
        retailer_id=retailer_id or north(session).id,
        kind=facts.pop("kind", SourceKind.ADDRESS),
        name=facts.pop("name", "Shop"),
        url=facts.pop("url", "https://shop.example/feed.csv"),
        currency=facts.pop("currency", "eur"),
        due_at=facts.pop("due_at", NOON),
        created_at=facts.pop("created_at", NOON - HOUR),
        **facts,
    )
    return _keep(session, source)


def make_arrival(
    session: Session,
    source: str = "stripe",
    kind: str = "checkout.session.completed",
    payload: dict[str, Any] | None = None,
    **facts: Any,
) -> Arrival:
    arrival = new_arrival(
        source,
        facts.pop("message_id", "") or f"evt_{new_code()}",
        kind,
        payload if payload is not None else {"id": "cs_1"},
        sent_at=facts.pop("sent_at", NOON),
        now=facts.pop("now", NOON),
        **facts,
    )
    return _keep(session, arrival)


def make_delivery(session: Session, *, retailer_id: str = "", **facts: Any) -> Delivery:
    delivery = Delivery(
        id=new_id("msg", NOON),
        retailer_id=retailer_id or north(session).id,
        type=facts.pop("type", "order.paid"),
        body=facts.pop("body", json.dumps({"type": "order.paid", "data": {}})),
        due_at=facts.pop("due_at", NOON),
        created_at=facts.pop("created_at", NOON),
        **facts,
    )
    return _keep(session, delivery)


def _first(session: Session, statement: SelectOfScalar[Row]) -> Row | None:
    """Look, and hold on to no snapshot: what others do next is to be seen."""
    found = session.exec(statement).first()
    session.commit()
    return found


def _keep(session: Session, row: Row) -> Row:
    session.add(row)
    session.commit()
    return row
