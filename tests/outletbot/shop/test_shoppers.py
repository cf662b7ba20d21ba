"""
A shopper is known by a cookie, a household by a mark that says nothing of its address.
"""

import pytest
from aiohttp.test_utils import make_mocked_request

from outletbot.config import Settings
from outletbot.sealing import Seal, new_key
from outletbot.web.shop.shoppers import Shoppers, is_inside, network_of
from tests.factories import NOON


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("unknown", ""),
        ("192.0.2.7:4711", ""),
    ],
)
def test_a_household_is_one_network(address: str, network: str) -> None:
    assert network_of(address) == network


class TestMarks:
    @pytest.fixture
    def behind_a_proxy(self, settings: Settings, seal: Seal) -> Shoppers:
        one = settings.model_copy(update={"trusted_proxies": 1})
        return Shoppers(one, seal, lambda: NOON)

    def test_are_the_same_for_a_household_and_for_no_other(
        self, behind_a_proxy: Shoppers
    ) -> None:
        marks = [
            behind_a_proxy.mark_of(asked(address))
            for address in ("2001:db8::1", "2001:db8::2", "2001:db8:0:1::1")
        ]

        assert marks[0] == marks[1] != marks[2]

    def test_say_nothing_without_the_key(
        self, behind_a_proxy: Shoppers, settings: Settings
    ) -> None:
        settings = settings.model_copy(update={"trusted_proxies": 1})
        elsewhere = Shoppers(settings, Seal(new_key()), lambda: NOON)
        mark = behind_a_proxy.mark_of(asked("192.0.2.7"))

        assert mark != elsewhere.mark_of(asked("192.0.2.7"))
        assert "192.0.2.7" not in mark

    def test_are_none_of_who_cannot_be_told_apart(
        self, behind_a_proxy: Shoppers
    ) -> None:
        assert behind_a_proxy.mark_of(asked("unknown")) == ""

    def test_believe_no_header_without_a_proxy(
        self, settings: Settings, seal: Seal
    ) -> None:
        shoppers = Shoppers(settings, seal, lambda: NOON)

        marks = {shoppers.mark_of(asked(f"192.0.2.{n}")) for n in range(3)}

        assert len(marks) == 1


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        ("127.0.0.1", True),
        ("10.1.2.3", True),
        ("192.168.0.9", True),
        ("::1", True),
        ("fd00::1", True),
        ("192.0.2.7", False),
        ("2001:db8::1", False),
        ("", False),
    ],
)
def test_an_address_of_our_own_house_is_nobodys(address: str, *, inside: bool) -> None:
    assert is_inside(address) == inside


def asked(address: str):
    return make_mocked_request("POST", "/", headers={"X-Forwarded-For": address})
