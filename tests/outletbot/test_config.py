"""
Settings come from the environment, and all that is wrong is said at once.
"""

from pathlib import Path

import pytest

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
