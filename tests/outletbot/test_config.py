"""
Settings come from the environment, and all that is wrong is said at once.
"""

import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import pytest

import outletbot
from outletbot.config import ConfigError, Settings


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def read(monkeypatch: pytest.MonkeyPatch, **values: str) -> Settings:
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return Settings.from_env()


def test_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(monkeypatch, PORT="9000", PUBLIC_URL="https://outlet.example/")

    assert (settings.port, settings.public_url) == (9000, "https://outlet.example")
    assert settings.secure


def test_complain_of_everything_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {"PORT": "many", "PUBLIC_URL": "outlet.example", "LOG_FORMAT": "xml"}

    with pytest.raises(ConfigError) as refusal:
        read(monkeypatch, **wrong)

    lines = str(refusal.value).splitlines()
    assert sorted(line.partition(":")[0] for line in lines) == sorted(wrong)


def test_say_what_is_missing_and_where_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    missing = read(monkeypatch, STRIPE_API_KEY="sk_test_1").missing()

    assert [line.partition(" ")[0] for line in missing] == [
        "SECRET_KEY",
        "STRIPE_WEBHOOK_SECRET",
    ]
    assert "outletbot new-key" in missing[0]


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("postgres://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgresql://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgresql+psycopg://u@h/d", "postgresql+psycopg://u@h/d"),
        ("sqlite:///x.db", "sqlite:///x.db"),
    ],
)
def test_name_the_driver(
    monkeypatch: pytest.MonkeyPatch, given: str, used: str
) -> None:
    assert read(monkeypatch, DATABASE_URL=given).database_url == used


@pytest.mark.parametrize(
    ("given", "countries"),
    [("", ()), ("IE", ("IE",)), (" ie, fr ,,DE, ", ("IE", "FR", "DE"))],
)
def test_split_countries(
    monkeypatch: pytest.MonkeyPatch, given: str, countries: tuple[str, ...]
) -> None:
    assert read(monkeypatch, SHIP_TO=given).ship_to == countries


@pytest.mark.parametrize(
    ("key", "live"),
    [("sk_live_1", True), ("rk_live_1", True), ("sk_test_1", False), ("", False)],
)
def test_tell_live_money_by_the_key(
    monkeypatch: pytest.MonkeyPatch, key: str, *, live: bool
) -> None:
    assert read(monkeypatch, STRIPE_API_KEY=key).livemode is live


def test_hide_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = {"SECRET_KEY": "one1", "STRIPE_API_KEY": "sk_live_2"}

    settings = read(monkeypatch, **secrets, STRIPE_WEBHOOK_SECRET="whsec_3")

    assert not {"one1", "sk_live_2", "whsec_3"} & set(str(settings).split("'"))


def test_know_where_a_sqlite_file_is(monkeypatch: pytest.MonkeyPatch) -> None:
    url = "sqlite:////srv/outlet/shop.db"

    assert read(monkeypatch, DATABASE_URL=url).data_folder == Path("/srv/outlet")


def test_send_shoppers_to_the_sandbox_only_if_it_is_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert read(monkeypatch).sandbox_origin == ""

    base = "http://127.0.0.1:9999/"
    sandbox = read(monkeypatch, STRIPE_API_BASE=base).sandbox_origin

    assert sandbox == "http://127.0.0.1:9999"


class TestEnvironment:
    """What another process is given, so that it has the same settings."""

    OTHERS: ClassVar = {
        "DATABASE_URL": "postgresql://u:p@h/d",
        "PUBLIC_URL": "https://outlet.example/",
        "HOST": "0.0.0.0",  # noqa: S104
        "PORT": "9000",
        "STRIPE_WRITES_PER_SECOND_LIVE": "90",
        "STRIPE_WRITES_PER_SECOND_TEST": "20",
        "PLATFORM_FEE_BPS": "150",
        "STRIPE_API_BASE": "http://127.0.0.1:9999",
        "NETWORKS_SANDBOX": "http://127.0.0.1:9998",
        "X_CLIENT_ID": "x-app",
        "META_APP_ID": "meta-app",
        "THREADS_APP_ID": "threads-app",
        "LINKEDIN_CLIENT_ID": "linkedin-app",
        "MAIL_FROM": "outletbot@outlet.example",
        "SHIP_TO": "ie, fr",
        "ALLOW_PRIVATE_ADDRESSES": "1",
        "TRUSTED_PROXIES": "2",
        "LOG_FORMAT": "json",
        "FEED_FOLDER": "/srv/feeds",
        "MAX_UPLOAD_MB": "7",
        "MAX_HOLDS_PER_ADDRESS": "0",
        "STOP_SECONDS": "9",
        "DRAIN_SECONDS": "3",
        "DYNO": "web.1",
    }
    SECRETS: ClassVar = {
        "SECRET_KEY": "one1",
        "STRIPE_API_KEY": "sk_live_2",
        "STRIPE_WEBHOOK_SECRET": "whsec_3",
        "STRIPE_CONNECT_WEBHOOK_SECRET": "whsec_4",
        "X_CLIENT_SECRET": "x-secret-5",
        "META_APP_SECRET": "meta-secret-6",
        "THREADS_APP_SECRET": "threads-secret-7",
        "LINKEDIN_CLIENT_SECRET": "linkedin-secret-8",
        "SMTP_URL": "smtps://outlet:pass-9@mail.example",
    }

    @pytest.mark.parametrize("given", [{}, OTHERS], ids=["usual", "others"])
    def test_is_read_as_the_same_settings(self, monkeypatch, given) -> None:
        settings = read(monkeypatch, **given)
        for name in given:
            monkeypatch.delenv(name)

        assert read(monkeypatch, **settings.environment()) == settings

    def test_holds_every_setting_but_the_secrets(self, monkeypatch) -> None:
        everything = {name.upper() for name in Settings.model_fields}
        assert everything == {*self.OTHERS, *self.SECRETS}  # or say it here, too

        kept = read(monkeypatch, **self.OTHERS, **self.SECRETS).environment()

        assert set(kept) == {"PATH", "PYTHONPATH", *self.OTHERS}
        assert not [
            (name, secret)
            for name, value in kept.items()
            for secret in self.SECRETS.values()
            if secret in value
        ]

    def test_runs_our_very_code(self, monkeypatch, tmp_path) -> None:
        done = subprocess.run(
            [sys.executable, "-c", "import outletbot; print(outletbot.__file__)"],
            env=read(monkeypatch).environment(),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )

        assert done.stdout.strip() == outletbot.__file__
