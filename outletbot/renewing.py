"""Renewing: how credentials are kept, and when they are to be renewed."""

from datetime import datetime, timedelta

from offers.keeping import Key
from outletbot.channels.credentials import Credentials
from outletbot.known_networks import NETWORKS
from outletbot.sealing import Seal

AT_LEAST = timedelta(minutes=10)
AT_MOST = timedelta(days=10)


def seal_key(seal: Seal, kind: str, credentials: Credentials, *, now: datetime) -> Key:
    """Return credentials as they are kept, and when to renew them.

    A token that is all there is, is kept as just that.
    """
    bare = credentials == Credentials(credentials.access_token)
    return Key(
        seal.close(credentials.access_token if bare else credentials.dump()),
        credentials.expires_at,
        credentials.refresh_expires_at,
        refresh_when(kind, credentials, now=now),
    )


def refresh_when(
    kind: str, credentials: Credentials, *, now: datetime
) -> datetime | None:
    """Return when to renew credentials; None if they do not end, or nobody can.

    A sixth of their time is left then, ten days at most and ten minutes at least: 20
    minutes of two hours, ten days of two months.
    """
    network = NETWORKS.get(kind)
    ends_at = credentials.expires_at or credentials.refresh_expires_at
    if network is None or network.enter is None or ends_at is None:
        return None
    if not (credentials.refresh_token or network.renew_alone):
        return None
    left = max(ends_at - now, timedelta())
    ahead = max(min(left / 6, AT_MOST), min(AT_LEAST, left / 2))
    return ends_at - ahead if left else now
