"""
What no browser of a merchant sends is refused or put right, and nothing breaks: neither
a page, nor the database that would be asked for it.
"""

from asyncio import gather

import pytest
from sqlmodel import select

from offers.deals import Deal
from offers.templates import PostTemplate
from tests.factories import make_account, make_deal, make_offer, outlet_account

BOTH_DATABASES = True

SEEN = "2026-03-02T12:00:00+00:00"
TEXT = {"language": "en", "kind": "announcement", "network": ""}


@pytest.mark.parametrize(
    "path",
    [
        "/calendar?moved=%00&from=1",
        "/calendar?day=%00&view=%00",
        "/calendar?day=9999-12-31",
        "/calendar?day=0001-01-01",
        "/calendar?moved=x&from=99999999999999999999",
        "/channels/connect/%00",
        "/channels/return/x?state=%00",
        "/d/a%00",
        "/deals/a%00",
        "/h/a%00",
        "/o/a%00",
        "/offers?q=%00",
        "/orders/a%00",
        "/pictures/a%00.jpg",
        "/texts?language=%00",
    ],
)
async def test_an_address_is_answered(desk, session, path: str) -> None:
    make_deal(session)

    answer = await desk.get(path, allow_redirects=False)

    assert answer.status < 500


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/proposals/week", {"scope": "all", "rule": "a\0b"}),
        ("/proposals/week", {"rows": "1", "offer-0": "a\0", "keep-0": "\0"}),
        ("/proposals/week", {"action": "make", "key": "a\0", "offer": "\0"}),
        ("/proposals/rules", {"rule": "a\0", "value": "a\0", "action": "keep"}),
        ("/settings", {"name": "a\0b", "time_zone": "UTC", "language": "en"}),
        ("/settings/alarms", {"alarm_email": "a\0b@c.example"}),
        ("/texts", {**TEXT, "action": "save", "body": "a\0b {price} {link}"}),
        ("/channels/connect/telegram", {"token": "1", "channel": "\0"}),
        ("/channels/connect/mastodon", {"token": "a", "base_url": "https://\0"}),
        ("/channels/connect/mastodon/server", {"server": "https://[fe80::1%25e]"}),
        ("/channels/connect/mastodon/server", {"server": f"https://{'a' * 64}.a"}),
        ("/channels/connect/mastodon/server", {"server": "https://a..b"}),
        ("/channels/connect/mastodon/server", {"server": "https://.example"}),
        ("/channels/connect/mastodon/server", {"server": "https://xn--a.example"}),
        ("/channels/return/x", {"sealed": "é", "account": "0"}),
        ("/channels/return/x", {"sealed": "x" * 600_000, "account": "0"}),
        ("/calendar/deals/{deal}/move", {"seen": "x", "at": "1" * 20}),
        ("/calendar/deals/{deal}/move", {"seen": SEEN, "at": "253402300799000"}),
        ("/calendar/deals/{deal}/move", {"seen": SEEN, "to": "9999-12-31T23:59"}),
        ("/calendar/deals/{deal}/send-back", {"note": "a\0b"}),
        ("/calendar/pause", {"page": "//evil.example"}),
        ("/channels/{account}/settings", {"afterwards": "\0", "show": "x"}),
    ],
)
async def test_a_form_is_answered(desk, session, path: str, form) -> None:
    deal, account = make_deal(session), make_account(session)

    answer = await desk.post(
        path.format(deal=deal.id, account=account.id), data=form, allow_redirects=False
    )

    assert answer.status < 500
    assert "evil" not in answer.headers.get("Location", "")


async def test_a_double_click_saves_a_text_once(desk, session) -> None:
    for kind in ("announcement", "half_gone", "last_units", "ending", "over"):
        form = {**TEXT, "kind": kind, "action": "save", "body": "New {price} {link}"}
        clicks = [desk.post("/texts", data=form) for _ in range(4)]
        assert {one.status for one in await gather(*clicks)} == {200}

    assert len(session.exec(select(PostTemplate)).all()) == 5


async def test_a_double_click_arms_one_deal(desk, session) -> None:
    outlet_account(session)
    for _ in range(3):
        offer = make_offer(session, quantity=None)
        form = {
            "offer": offer.id,
            "price": "49.90",
            "units": "5",
            "limit_per_shopper": "2",
            "opens": "later",
            "opens_at": "2026-03-03T10:00",
            "closes_at": "2026-03-03T13:00",
            "hold_minutes": "10",
            "paying": "online",
            "action": "arm",
        }
        clicks = [
            desk.post("/deals", data=form, allow_redirects=False) for _ in range(4)
        ]
        assert {one.status for one in await gather(*clicks)} == {303}

        session.rollback()
        assert (
            len(session.exec(select(Deal).where(Deal.offer_id == offer.id)).all()) == 1
        )
