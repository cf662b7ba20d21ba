"""A Bluesky server: what can be done to accounts, records and pictures, by its rules.

What is not allowed is an ``XrpcError``. Everything but the accounts is on the shelf.
Addresses of contents (CIDs) have the right form but are made of JSON, not of CBOR.
"""

import base64
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from outletbot.clock import Clock
from outletbot.sandbox.bluesky_rules import (
    MAX_BLOB,
    POST,
    XrpcError,
    check_key,
    check_post,
    refuse,
)
from outletbot.sandbox.bluesky_sessions import APP, FULL, Sessions, Tokens
from outletbot.sandbox.shelf import Shelf, Thing

_KEY_LETTERS = "234567abcdefghijklmnopqrstuvwxyz"
_RECORD, _PICTURE = 0x71, 0x55


@dataclass(frozen=True, slots=True)
class Account:
    """Who posts; without *did* it is made of the handle.

    The *password* opens everything, an *app_password* only what an app may do.
    """

    handle: str
    app_password: str = field(default="abcd-efgh-ijkl-mnop", repr=False)
    password: str = field(default="the account's own", repr=False)
    did: str = ""
    active: bool = True

    @property
    def id(self) -> str:
        digest = hashlib.sha256(self.handle.encode()).digest()
        return self.did or f"did:plc:{_base32(digest)[:24]}"


class BlueskySandbox:
    """One server with its readers. *public_url* is where people see the posts."""

    def __init__(
        self,
        *,
        clock: Clock,
        public_url: str,
        accounts: Iterable[Account],
        state_path: Path | None = None,
    ) -> None:
        self.clock = clock
        self.public_url = public_url.rstrip("/")
        self.accounts = {account.id: account for account in accounts}
        self.shelf = Shelf(state_path)
        self.sessions = Sessions(self.shelf)

    def tokens(self, handle: str) -> Tokens:
        """Return a new session of an app, as ``createSession`` gives it."""
        return self.sessions.open(self.find_account(handle).id, now=self.clock())

    def sign_in(self, handle: str, password: str) -> tuple[Account, Tokens]:
        account = next((a for a in self.accounts.values() if a.handle == handle), None)
        scopes = {account.password: FULL, account.app_password: APP} if account else {}
        if account is None or password not in scopes:
            code = "AuthenticationRequired"
            raise XrpcError(401, code, "Invalid identifier or password")
        scope = scopes[password]
        return account, self.sessions.open(account.id, now=self.clock(), scope=scope)

    def find_account(self, who: str) -> Account:
        """Return an account by its DID or handle."""
        by_handle = {account.handle: account for account in self.accounts.values()}
        account = self.accounts.get(who) or by_handle.get(who)
        if account is None:
            msg = f"Could not find repo: {who}"
            refuse(msg)
        return account

    def put(self, did: str, rkey: str, record: Any) -> tuple[Thing, str]:
        """Keep a post. Return it and the commit, empty if nothing changed."""
        check_key(rkey)
        check_post(record, lambda cid: self.shelf.get("blob", f"{did}/{cid}"))
        uri, cid = f"at://{did}/{POST}/{rkey}", _cid(_RECORD, _plain(record))
        before = self.shelf.get("post", uri)
        if before and before["cid"] == cid:
            return before, ""
        moment = before["indexed_at"] if before else self.clock().isoformat()
        post = {"uri": uri, "cid": cid, "value": record, "indexed_at": moment}
        self.shelf.keep("post", uri, post)
        return post, self.commit()

    def delete(self, did: str, rkey: str) -> str:
        """Take a post away. Return the commit, empty if there was none."""
        gone = self.shelf.drop("post", f"at://{did}/{POST}/{rkey}")
        return self.commit() if gone else ""

    def commit(self) -> str:
        """Count a change and return its revision, which is a record key."""
        number = self.commits + 1
        self.shelf.keep("counter", "commits", {"number": number})
        return self.new_key(number)

    @property
    def commits(self) -> int:
        """How many changes there were."""
        return int((self.shelf.get("counter", "commits") or {"number": 0})["number"])

    def new_key(self, number: int) -> str:
        value = int(self.clock().timestamp() * 1_000_000) << 10 | number % 1024
        return "".join(_KEY_LETTERS[value >> shift & 31] for shift in range(60, -1, -5))

    @property
    def posts(self) -> list[Thing]:
        """All posts, in the order in which they came."""
        return [post for _, post in self.shelf.all("post")]

    def posts_of(self, did: str) -> list[Thing]:
        """Return the posts of an account by their keys, newest first."""
        prefix = f"at://{did}/"
        own = [post for post in self.posts if post["uri"].startswith(prefix)]
        return sorted(own, key=lambda post: str(post["uri"]), reverse=True)

    def upload(self, did: str, content: bytes, mime: str) -> Thing:
        """Take a file; *mime* is what it is if it does not show that itself."""
        if len(content) > MAX_BLOB:
            code = "PayloadTooLarge"
            raise XrpcError(413, code, "request entity too large")
        cid = _cid(_PICTURE, content)
        facts = {"mimeType": _sniff(content) or mime, "size": len(content)}
        self.shelf.keep("blob", f"{did}/{cid}", facts, content)
        return {"$type": "blob", "ref": {"$link": cid}, **facts}

    def react(self, uri: str, *, likes: int = 0, reposts: int = 0) -> None:
        """Let readers like and repost a post."""
        self.shelf.keep("reactions", uri, {"likes": likes, "reposts": reposts})

    def answers_to(self, uri: str) -> list[Thing]:
        return [post for post in self.posts if parent_of(post) == uri]


def parent_of(post: Thing) -> str:
    """Return the address of the post that *post* answers, or an empty text."""
    reply = post["value"].get("reply", {})
    return str(reply.get("parent", {}).get("uri", ""))


def _sniff(content: bytes) -> str:
    try:
        with Image.open(BytesIO(content)) as picture:
            return picture.get_format_mimetype() or ""
    except OSError:
        return ""


def _plain(record: Thing) -> bytes:
    return json.dumps(record, sort_keys=True).encode()


def _cid(codec: int, content: bytes) -> str:
    digest = hashlib.sha256(content).digest()
    return "b" + _base32(bytes([1, codec, 0x12, 0x20]) + digest)


def _base32(content: bytes) -> str:
    return base64.b32encode(content).decode().rstrip("=").lower()
