"""
Every network that can be connected makes its channel and its way in, at its own address
or at the sandbox's.
"""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from offers.accounts import OUTLET
from outletbot.channels import Rejected
from outletbot.channels.credentials import Credentials
from outletbot.known_networks import NETWORKS, App
from outletbot.networks import Networks
from outletbot.sealing import Seal
from tests.factories import NOON

SANDBOX = "http://sandbox.example"
APPS = {kind: App(f"{kind}-app", f"{kind}-secret") for kind in NETWORKS}
WITH_PAGE = [kind for kind, network in NETWORKS.items() if network.app]


def networks_at(
    http: aiohttp.ClientSession, seal: Seal, sandbox: str = "", *, apps: bool = True
) -> Networks:
    return Networks(
        http,
        seal,
        public_url="https://outlet.example",
        clock=lambda: NOON,
        sandbox=sandbox,
        apps=APPS if apps else None,
    )


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.mark.parametrize("kind", [OUTLET, *NETWORKS])
async def test_each_has_a_channel(http, seal, kind):
    networks = networks_at(http, seal)

    channel = networks.connect(kind, "https://social.example", Credentials("token"))

    assert channel.name == kind
    assert networks.capabilities(kind).max_length > 100


async def test_one_that_is_gone_from_here_is_refused_in_words(http, seal):
    with pytest.raises(Rejected, match="Orkut"):
        networks_at(http, seal).connect("orkut", "", Credentials("token"))


@pytest.mark.parametrize("kind", WITH_PAGE)
async def test_a_page_is_the_networks_own(http, seal, kind):
    asked = {"redirect_uri": "https://a.example", "state": "s", "challenge": "c"}

    real = networks_at(http, seal).oauth(kind).authorization_url(**asked)
    fake = networks_at(http, seal, SANDBOX).oauth(kind).authorization_url(**asked)

    path = real.removeprefix("https://").partition("/")[2]
    assert real.startswith("https://")
    assert fake == f"{SANDBOX}/{kind}/{path}"
    assert f"{kind}-app" in real
    assert f"{kind}-secret" not in real


@pytest.mark.parametrize("kind", WITH_PAGE)
async def test_a_page_is_only_for_an_app(http, seal, kind):
    networks = networks_at(http, seal, apps=False)

    assert networks.app(kind) is None
    assert networks.refresher(kind) is None
    with pytest.raises(LookupError):
        networks.oauth(kind)


async def test_who_renews(http, seal):
    networks = networks_at(http, seal)

    able = {kind for kind in NETWORKS if networks.refresher(kind)}

    assert able == {kind for kind in NETWORKS if NETWORKS[kind].enter}
    assert "bluesky" in able
    assert networks.refresher("orkut") is None


async def test_an_accounts_own_server_goes_before_all_others(http, seal):
    own = "https://pds.example"

    assert networks_at(http, seal, SANDBOX).address("bluesky", own) == own
    assert networks_at(http, seal, SANDBOX).address("bluesky") == f"{SANDBOX}/bluesky"
    assert networks_at(http, seal).address("bluesky") == "https://bsky.social"
