"""
The demo finds its place on a machine where others run things too.
"""

import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from outletbot.demo.running import HIGHEST_PORT, Addresses, _keep, _settings, free_ports
from outletbot.sealing import Seal


def three_free(first: int = 30_000) -> int:
    """Return the first of three neighbouring ports that nobody listens at."""
    while free_ports(first, 3) != [first, first + 1, first + 2]:
        first += 1
    return first


class TestFreePorts:
    def test_are_those_that_were_asked_for(self) -> None:
        first = three_free()

        assert free_ports(first, 2) == [first, first + 1]

    def test_leave_out_what_others_listen_at(self) -> None:
        first = three_free()
        with ExitStack() as stack:
            stack.enter_context(socket.create_server(("127.0.0.1", first)))
            stack.enter_context(socket.create_server(("127.0.0.1", first + 1)))

            ports = free_ports(first, 2)

        assert ports[0] == first + 2
        assert len(set(ports)) == 2

    def test_come_to_an_end(self) -> None:
        with pytest.raises(OSError, match="no 3 free ports"):
            free_ports(HIGHEST_PORT - 1, 3)


class TestSettings:
    def test_need_nothing_from_the_environment(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DATABASE_URL", "postgresql://production/shop")
        monkeypatch.setenv("STRIPE_API_KEY", "sk_live_real_money")
        monkeypatch.setenv("STRIPE_API_BASE", "https://api.stripe.com")

        settings = _settings(tmp_path, Addresses(1, 2, 3))

        assert settings.database_url == f"sqlite:///{tmp_path}/outletbot.db"
        assert settings.stripe_api_base == "http://127.0.0.1:2"
        assert not settings.livemode
        assert settings.missing() == []

    def test_keep_their_secrets(self, tmp_path: Path) -> None:
        first = _settings(tmp_path, Addresses(1, 2, 3))
        second = _settings(tmp_path, Addresses(4, 5, 6))

        assert Seal(first.secret_key.get_secret_value())
        assert first.secret_key == second.secret_key
        assert first.stripe_webhook_secret == second.stripe_webhook_secret
        assert (tmp_path / "secret-key").stat().st_mode & 0o077 == 0

    def test_make_a_secret_anew_that_was_never_written(self, tmp_path: Path) -> None:
        """Whoever was killed between making the file and writing it."""
        (tmp_path / "key").touch()

        assert _keep(tmp_path / "key", lambda: "fresh") == "fresh"
        assert _keep(tmp_path / "key", lambda: "fresher") == "fresh"
