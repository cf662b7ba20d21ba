"""Settings, read once from the environment, complained of all at once."""

import os
import sys
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import (
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

NEEDED = ("SECRET_KEY", "STRIPE_API_KEY", "STRIPE_WEBHOOK_SECRET")
HOW = {
    "SECRET_KEY": "make one with: outletbot new-key",
    "STRIPE_API_KEY": "it is in Stripe's dashboard under Developers, API keys",
    "STRIPE_WEBHOOK_SECRET": "Stripe shows it (whsec_…) when you add the endpoint",
}


def is_live(stripe_key: str) -> bool:
    """Whether *stripe_key* moves real money."""
    return "_live_" in stripe_key


class ConfigError(Exception):
    """The environment lacks a setting or has a wrong one; names them all."""


class Settings(BaseSettings):
    """What an installation decides; ``README.md`` has the same list."""

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True)

    database_url: str = "sqlite:///var/outletbot.db"
    public_url: str = "http://localhost:8080"
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    secret_key: SecretStr = SecretStr("")
    stripe_api_key: SecretStr = SecretStr("")
    stripe_webhook_secret: SecretStr = SecretStr("")
    stripe_connect_webhook_secret: SecretStr = SecretStr("")
    stripe_writes_per_second_live: int = Field(default=100, ge=1, le=10_000)
    stripe_writes_per_second_test: int = Field(default=25, ge=1, le=10_000)
    platform_fee_bps: int = Field(default=0, ge=0, le=5_000)
    stripe_api_base: str = "https://api.stripe.com"
    networks_sandbox: str = ""
    x_client_id: str = ""
    x_client_secret: SecretStr = SecretStr("")
    meta_app_id: str = ""
    meta_app_secret: SecretStr = SecretStr("")
    threads_app_id: str = ""
    threads_app_secret: SecretStr = SecretStr("")
    linkedin_client_id: str = ""
    linkedin_client_secret: SecretStr = SecretStr("")
    smtp_url: SecretStr = SecretStr("")
    mail_from: str = ""
    ship_to: Annotated[tuple[str, ...], NoDecode] = ()
    allow_private_addresses: bool = False
    trusted_proxies: int = Field(default=0, ge=0, le=5)
    log_format: str = Field(default="auto", pattern="^(auto|json|console)$")
    feed_folder: str = ""
    max_upload_mb: int = Field(default=25, ge=1, le=500)
    max_holds_per_address: int = Field(default=40, ge=0)
    stop_seconds: int = Field(default=25, ge=1, le=600)
    drain_seconds: int = Field(default=0, ge=0, le=60)
    dyno: str = ""

    @model_validator(mode="before")
    @classmethod
    def _listen_to_the_platform(cls, given: dict[str, object]) -> dict[str, object]:
        """Heroku and its like name a process by ``DYNO`` and call it from outside."""
        return {"host": "0.0.0.0", **given} if given.get("dyno") else given  # noqa: S104

    @field_validator("database_url")
    @classmethod
    def _name_the_driver(cls, url: str) -> str:
        """Platforms hand out ``postgres://``; SQLAlchemy wants to know the driver."""
        scheme, _, rest = url.partition("://")
        if scheme in {"postgres", "postgresql"}:
            return f"postgresql+psycopg://{rest}"
        if not url.startswith(("sqlite:///", "postgresql+psycopg://")):
            msg = "must begin with sqlite:/// or postgresql://"
            raise ValueError(msg)
        return url

    @field_validator("public_url", "stripe_api_base")
    @classmethod
    def _no_slash(cls, url: str) -> str:
        if not url.startswith(("http://", "https://")):
            msg = "must begin with http:// or https://"
            raise ValueError(msg)
        return url.rstrip("/")

    @field_validator("ship_to", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(
                part.strip().upper() for part in value.split(",") if part.strip()
            )
        return value

    @classmethod
    def from_env(cls) -> Self:
        """Read the settings.

        Raises:
            ConfigError: If some are malformed.
        """
        try:
            return cls()
        except ValidationError as error:
            lines = [
                f"{problem['loc'][0]!s}".upper()
                + f": {problem['msg'].removeprefix('Value error, ')}"
                for problem in error.errors(include_url=False)
            ]
            raise ConfigError("\n".join(lines)) from error

    def missing(self) -> list[str]:
        """Return what the service cannot run without, each with where to get it."""
        values = (self.secret_key, self.stripe_api_key, self.stripe_webhook_secret)
        return [
            f"{name} is not set: {HOW[name]}"
            for name, value in zip(NEEDED, values, strict=True)
            if not value.get_secret_value()
        ]

    @property
    def livemode(self) -> bool:
        return is_live(self.stripe_api_key.get_secret_value())

    @property
    def house_webhook_secrets(self) -> str:
        """What may have signed an event for the house, with commas between."""
        own = self.stripe_webhook_secret.get_secret_value()
        connect = self.stripe_connect_webhook_secret.get_secret_value()
        return ",".join(filter(None, (own, connect)))

    def environment(self) -> dict[str, str]:
        """Return what makes a process run our very code with these settings.

        Secrets are not among them.
        """
        path = os.pathsep.join(filter(None, sys.path))
        kept = {"PATH": os.defpath, "PYTHONPATH": path}
        for name in type(self).model_fields:
            match getattr(self, name):
                case bool(value):
                    kept[name.upper()] = str(value).lower()
                case tuple(value):
                    kept[name.upper()] = ",".join(value)
                case str(value) | int(value):
                    kept[name.upper()] = str(value)
        return kept

    @property
    def sandbox_origin(self) -> str:
        """Where the sandbox's payment page is, if the sandbox stands in for Stripe."""
        return self.stripe_api_base if self.stripe_api_base.startswith("http:") else ""

    @property
    def sandbox_origins(self) -> str:
        """Where forms may lead in a sandbox: Stripe's and the networks'.

        Where private addresses are allowed, that is any server: Mastodon's accounts
        have each their own.
        """
        if self.allow_private_addresses:
            return "http:"
        parts = urlsplit(self.networks_sandbox)
        networks = f"{parts.scheme}://{parts.netloc}" if parts.scheme == "http" else ""
        return " ".join(filter(None, (self.sandbox_origin, networks)))

    @property
    def secure(self) -> bool:
        return self.public_url.startswith("https://")

    @property
    def data_folder(self) -> Path:
        """Where a SQLite installation keeps its file."""
        file = self.database_file
        return Path("var") if file is None else file.parent

    @property
    def database_file(self) -> Path | None:
        """The file of a SQLite installation; none where the database is a server."""
        if not self.database_url.startswith("sqlite:///"):
            return None
        return Path(self.database_url.removeprefix("sqlite:///"))
