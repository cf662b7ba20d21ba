"""The URL of a Discord webhook, as a merchant pastes it."""

import re
from urllib.parse import urlsplit

from outletbot.channels import Rejected
from outletbot.channels.credentials import Credentials

_HOSTS = {
    f"{version}{domain}"
    for version in ("", "ptb.", "canary.")
    for domain in ("discord.com", "discordapp.com")
}
_PATH = re.compile(r"/api(?:/v\d+)?/webhooks/(?P<id>\d{17,20})/(?P<token>[\w.-]{60,})")
_HOW = (
    "In Discord, open the channel's settings, then Integrations, then Webhooks, and"
    " choose Copy Webhook URL."
)


def read_webhook_url(pasted: str) -> Credentials:
    """Return the credentials in a webhook's URL.

    The address may be of Discord's test versions or of old, name a version of the API,
    and have something after the token. The URL is a secret, so no error has it.

    Raises:
        Rejected: If it is no webhook's URL, with what it is instead.
    """
    text = pasted.strip().strip("<>\"'")
    if not text:
        msg = f"Paste the webhook's URL. {_HOW}"
        raise Rejected(msg)
    host, path = _parts(text)
    if host not in _HOSTS:
        msg = f"This is no address of discord.com. {_HOW}"
        raise Rejected(msg)
    if "/webhooks/" not in path:
        msg = f"This address is Discord's, but no webhook's. {_HOW}"
        raise Rejected(msg)
    found = _PATH.match(path)
    if found is None:
        msg = f"This URL of a webhook is not complete. {_HOW}"
        raise Rejected(msg)
    webhook_id = found["id"]
    return Credentials(f"{webhook_id}/{found['token']}", account_id=webhook_id)


def _parts(text: str) -> tuple[str, str]:
    """Return the host and the path; a browser's address may lack ``https://``."""
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
    except ValueError:
        return "", ""
    return parts.hostname or "", parts.path
