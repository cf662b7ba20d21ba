"""
The worker is killed fifty times while it posts to a real server, and nothing is posted
twice or lost: snac, which knows no idempotency keys, so that looking first is all there
is, and a Bluesky PDS. Clients that others wrote count what is there.
"""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mastodon
import pytest
from atproto import Client

from tests.chaos.posting_audit import Found, Row, audit, codes_on
from tests.chaos.posting_elsewhere import EACH_TIME
from tests.chaos.posting_place import Account, Place
from tests.outletbot.bluesky_pds import Pds, running_pds
from tests.outletbot.channels import test_mastodon_real as snac_server

KILLS = 50
REPOSITORY = Path(__file__).parents[3]
SHOP = "https://outlet.example.com"
POST = "app.bsky.feed.post"
USERS = ("outlet", "fan")

pytestmark = [pytest.mark.real, pytest.mark.timeout(1500)]


@pytest.fixture
def snac(tmp_path: Path) -> Iterator[list[Account]]:
    """Two accounts on a snac of our own."""
    folder, port = tmp_path / "snac", snac_server.free_port()
    folder.mkdir()
    try:
        snac_server.start(folder, port)
        yield [
            Account(
                "mastodon",
                0,
                f"http://127.0.0.1:{port}",
                user,
                (folder / f"tok.{user}").read_text(),
            )
            for user in USERS
        ]
    finally:
        snac_server.stop(folder / "pid", port)


@pytest.fixture
def pds(tmp_path: Path) -> Iterator[Pds]:
    folder = tmp_path / "pds"
    folder.mkdir()
    with running_pds(folder) as pds:
        yield pds


def test_mastodon(snac: list[Account], tmp_path: Path) -> None:
    report = kill(snac, tmp_path)

    seen = Counter[str]()
    for account in snac:
        for status in statuses(account):
            seen.update(codes_on(f"<article>{status.content}"))
    check(report, seen)


def test_bluesky(pds: Pds, tmp_path: Path) -> None:
    reader = Client(f"{pds.url}/xrpc")
    accounts = [sign_up(reader, pds, user) for user in USERS]

    report = kill(accounts, tmp_path)

    seen = Counter[str]()
    for account in accounts:
        for text in records(reader, account.account_id):
            seen.update(codes_on(f"<article>{text}"))
    reader.request.close()
    check(report, seen)


def kill(accounts: list[Account], folder: Path) -> dict[str, Any]:
    place, log = folder / "place.json", folder / "worker.log"
    place.write_text(Place(SHOP, tuple(accounts)).dump())
    command = [sys.executable, "-m", "tests.chaos.posting_elsewhere", str(place)]
    ended = subprocess.run(  # noqa: S603 - ourselves
        [*command, "--kills", str(KILLS), "--log", str(log)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    report: dict[str, Any] = json.loads(ended.stdout)
    return report


def check(report: dict[str, Any], seen: Counter[str]) -> None:
    found: Found = audit([Row(**facts) for facts in report["posts"]], seen)
    facts = {name: report[name] for name in report if name != "posts"}
    print(json.dumps(facts | found.as_json()))  # noqa: T201 - for docs, with -s

    assert found.wrong == {}
    assert found.posts == found.published == KILLS * EACH_TIME * len(USERS)
    assert report["kills"] == KILLS
    assert report["while_sending"] > 0


def statuses(account: Account) -> Iterator[Any]:
    """Yield an account's posts as Mastodon.py reads them."""
    client = mastodon.Mastodon(
        access_token=account.token,
        api_base_url=account.base_url,
        mastodon_version="4.0.0",
    )
    client.session.headers["Connection"] = "close"  # snac hangs up unannounced
    own, last = client.account_verify_credentials().id, None
    while page := client.account_statuses(own, max_id=last, limit=20):
        yield from page
        if last == page[-1].id:
            break
        last = page[-1].id
    client.session.close()


def sign_up(client: Client, pds: Pds, user: str) -> Account:
    """Make an account and enter it by an app's password, as a merchant does."""
    handle = f"{user}.test"
    server = client.com.atproto.server
    made = server.create_account(
        {"handle": handle, "email": f"{handle}@example.com", "password": "its own"}
    )
    opened = server.create_session({"identifier": handle, "password": "its own"})
    return Account("bluesky", 0, pds.url, handle, opened.access_jwt, made.did)


def records(client: Client, did: str) -> Iterator[str]:
    cursor = None
    while True:
        page = client.com.atproto.repo.list_records(
            {"repo": did, "collection": POST, "limit": 100, "cursor": cursor}
        )
        yield from (record.value.text for record in page.records)
        cursor = page.cursor
        if not cursor:
            return
