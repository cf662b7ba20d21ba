"""What a Mastodon server answers: its entities as JSON, and posts as HTML.

The fields are those of docs.joinmastodon.org, "Entities", as of 4.4; all that are
required are there, also those that mean nothing in a sandbox.
"""

import re
from datetime import UTC, datetime
from html import escape
from typing import Any

from outletbot.sandbox import mastodon_rules as rules
from outletbot.sandbox.mastodon_objects import Account, Media, Poll, Status, Version
from outletbot.sandbox.mastodon_state import MastodonSandbox

_ENTITY = re.compile(
    r"(?P<url>https?://\S*[\w/=#&+-])|(?<![\w/#])#(?P<tag>\w+)|(?<![\w/@])@(?P<name>\w+)"
)


def account_json(sandbox: MastodonSandbox, account: Account) -> dict[str, Any]:
    url = f"{sandbox.public_url}/@{account.username}"
    statuses = sandbox.statuses_of(account.id)
    last = statuses[0].created_at.date().isoformat() if statuses else None
    return {
        "id": account.id,
        "username": account.username,
        "acct": account.username,
        "display_name": account.display_name,
        "note": "",
        "url": url,
        "uri": url,
        "avatar": f"{url}/avatar.svg",
        "avatar_static": f"{url}/avatar.svg",
        "header": f"{url}/avatar.svg",
        "header_static": f"{url}/avatar.svg",
        "created_at": "2020-01-01T00:00:00.000Z",
        "last_status_at": last,
        "statuses_count": len(statuses),
        "followers_count": 0,
        "following_count": 0,
        "locked": False,
        "bot": True,
        "group": False,
        "discoverable": True,
        "indexable": True,
        "emojis": [],
        "fields": [],
    }


def credentials_json(sandbox: MastodonSandbox, account: Account) -> dict[str, Any]:
    source = {
        "note": "",
        "fields": [],
        "privacy": "public",
        "sensitive": False,
        "language": None,
        "follow_requests_count": 0,
        "hide_collections": None,
        "discoverable": True,
        "indexable": True,
        "attribution_domains": [],
        "quote_policy": "public",
    }
    role = {"id": "-99", "name": "", "color": "", "permissions": "0"}
    role_flags = {"highlighted": False}
    return account_json(sandbox, account) | {
        "source": source,
        "role": role | role_flags,
    }


def status_json(sandbox: MastodonSandbox, status: Status) -> dict[str, Any]:
    url = f"{sandbox.public_url}/@{status.account.username}/{status.id}"
    parent = status.in_reply_to
    return {
        **version_json(sandbox, status.account, status.now),
        "id": status.id,
        "uri": url,
        "url": url,
        "account": account_json(sandbox, status.account),
        "created_at": moment(status.created_at),
        "edited_at": moment(status.edited_at) if status.edited_at else None,
        "visibility": status.visibility,
        "language": status.language,
        "in_reply_to_id": parent.status_id if parent else None,
        "in_reply_to_account_id": parent.account_id if parent else None,
        "replies_count": len(sandbox.replies_to(status)),
        "reblogs_count": 0,
        "favourites_count": 0,
        "favourited": False,
        "reblogged": False,
        "muted": False,
        "bookmarked": False,
        "pinned": False,
        "reblog": None,
        "application": None,
        "mentions": [],
        "tags": [
            {"name": name.lower(), "url": f"{sandbox.public_url}/tags/{name.lower()}"}
            for name in _tags(status.now.text)
        ],
        "card": None,
        "poll": poll_json(sandbox, status.now.poll) if status.now.poll else None,
    }


def version_json(
    sandbox: MastodonSandbox, account: Account, version: Version
) -> dict[str, Any]:
    """Make a StatusEdit, which is also what changes about a Status."""
    return {
        "account": account_json(sandbox, account),
        "content": content_html(sandbox, version.text),
        "spoiler_text": version.spoiler_text,
        "sensitive": version.sensitive,
        "created_at": moment(version.created_at),
        "media_attachments": [media_json(sandbox, media) for media in version.media],
        "emojis": [],
    }


def poll_json(sandbox: MastodonSandbox, poll: Poll) -> dict[str, Any]:
    return {
        "id": poll.id,
        "expires_at": moment(poll.expires_at),
        "expired": poll.expires_at <= sandbox.clock(),
        "multiple": poll.multiple,
        "votes_count": sum(poll.votes),
        "voters_count": None,
        "options": [
            {"title": title, "votes_count": votes}
            for title, votes in zip(poll.options, poll.votes, strict=True)
        ],
        "emojis": [],
    }


def source_json(status: Status) -> dict[str, Any]:
    return {
        "id": status.id,
        "text": status.now.text,
        "spoiler_text": status.now.spoiler_text,
    }


def media_json(sandbox: MastodonSandbox, media: Media) -> dict[str, Any]:
    """Make a MediaAttachment; its ``url`` is null until it is ready."""
    width, height = media.size
    url = f"{sandbox.public_url}/media/{media.id}"
    sizes = {"width": width, "height": height, "size": f"{width}x{height}"}
    return {
        "id": media.id,
        "type": "image",
        "url": None if media.looks_until_ready else url,
        "preview_url": url,
        "remote_url": None,
        "meta": {"original": {**sizes, "aspect": width / height}},
        "description": media.description,
        "blurhash": None,
    }


def instance_json(sandbox: MastodonSandbox) -> dict[str, Any]:
    """Make the server's description of itself; its limits are what clients read."""
    return {
        "domain": sandbox.public_url.partition("://")[2],
        "title": "outletbot's sandbox",
        "version": "4.4.0",
        "source_url": sandbox.public_url,
        "description": "A Mastodon server to practise on.",
        "usage": {"users": {"active_month": len(sandbox.accounts)}},
        "thumbnail": {"url": f"{sandbox.public_url}/thumbnail.png"},
        "icon": [],
        "languages": ["en"],
        "configuration": _configuration_json(sandbox),
        "registrations": {
            "enabled": False,
            "approval_required": False,
            "message": None,
            "reason_required": False,
            "min_age": None,
            "url": None,
        },
        "api_versions": {"mastodon": 6},
        "contact": {"email": "", "account": None},
        "rules": [],
    }


def old_instance_json(sandbox: MastodonSandbox) -> dict[str, Any]:
    now = instance_json(sandbox)
    return {
        "uri": now["domain"],
        "short_description": now["description"],
        "email": "",
        "urls": {"streaming_api": sandbox.public_url},
        "stats": {
            "user_count": len(sandbox.accounts),
            "status_count": len(sandbox.statuses),
            "domain_count": 1,
        },
        "thumbnail": now["thumbnail"]["url"],
        "registrations": False,
        "approval_required": False,
        "invites_enabled": False,
        "contact_account": None,
        **{
            name: now[name]
            for name in ("title", "description", "version", "languages", "rules")
        },
        "configuration": now["configuration"],
    }


def _configuration_json(sandbox: MastodonSandbox) -> dict[str, Any]:
    return {
        "urls": {"streaming": sandbox.public_url},
        "vapid": {"public_key": ""},
        "accounts": {"max_featured_tags": 10, "max_pinned_statuses": 5},
        "statuses": {
            "max_characters": rules.MAX_CHARACTERS,
            "max_media_attachments": rules.MAX_ATTACHMENTS,
            "characters_reserved_per_url": rules.URL_LENGTH,
        },
        "media_attachments": {
            "supported_mime_types": list(rules.MEDIA_TYPES),
            "description_limit": rules.MAX_DESCRIPTION,
            "image_size_limit": rules.MAX_FILE,
            "image_matrix_limit": rules.MAX_MATRIX,
            "video_size_limit": 0,
            "video_frame_rate_limit": 0,
            "video_matrix_limit": 0,
        },
        "polls": {
            "max_options": rules.MAX_OPTIONS,
            "max_characters_per_option": rules.MAX_OPTION,
            "min_expiration": int(rules.SHORTEST_POLL.total_seconds()),
            "max_expiration": int(rules.LONGEST_POLL.total_seconds()),
        },
        "translation": {"enabled": False},
    }


def content_html(sandbox: MastodonSandbox, text: str) -> str:
    """Return *text* as Mastodon shows it: paragraphs, links, tags and mentions."""
    parts, position = [], 0
    for entity in _ENTITY.finditer(text):
        parts += [escape(text[position : entity.start()]), _link(sandbox, entity)]
        position = entity.end()
    html = "".join(parts) + escape(text[position:])
    paragraphs = re.split(r"\n{2,}", html.strip())
    return "".join(f"<p>{one.replace(chr(10), '<br />')}</p>" for one in paragraphs)


def moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _link(sandbox: MastodonSandbox, entity: re.Match[str]) -> str:
    if entity["url"]:
        scheme, _, rest = entity["url"].partition("//")
        cut = "ellipsis" if len(rest) > 30 else ""
        return (
            f'<a href="{escape(entity["url"])}" target="_blank"'
            ' rel="nofollow noopener noreferrer">'
            f'<span class="invisible">{scheme}//</span>'
            f'<span class="{cut}">{escape(rest[:30])}</span>'
            f'<span class="invisible">{escape(rest[30:])}</span></a>'
        )
    if entity["tag"]:
        url = f"{sandbox.public_url}/tags/{entity['tag'].lower()}"
        word = f"#<span>{entity['tag']}</span>"
        return f'<a href="{url}" class="mention hashtag" rel="tag">{word}</a>'
    if entity["name"] not in sandbox.accounts:
        return f"@{entity['name']}"
    url = f"{sandbox.public_url}/@{entity['name']}"
    word = f"@<span>{entity['name']}</span>"
    return (
        f'<span class="h-card"><a href="{url}" class="u-url mention">{word}</a></span>'
    )


def _tags(text: str) -> list[str]:
    found = [entity["tag"] for entity in _ENTITY.finditer(text) if entity["tag"]]
    return list(dict.fromkeys(found))
