"""A LinkedIn: its pages and what they have posted.

What is not allowed is a ``Refusal``. Nothing here knows HTTP.
"""

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

from outletbot.clock import Clock
from outletbot.sandbox.linkedin_grants import (
    WRITE,
    WRITE_FEED,
    Account,
    Grants,
    Member,
)
from outletbot.sandbox.linkedin_rules import (
    MAX_ALT,
    MAX_COMMENT,
    check_commentary,
    check_poll,
    check_post,
    duplicate,
    images_in,
    is_usable,
    not_found,
    too_many,
    wrong,
)
from outletbot.sandbox.shelf import Shelf, Thing
from outletbot.sandbox.windows import Budget, Windows

POSTS = Budget(150, timedelta(days=1))


class LinkedInSandbox:
    """All that a LinkedIn remembers. An image is ready after *looks_until_ready*."""

    def __init__(
        self,
        *,
        clock: Clock,
        public_url: str,
        accounts: Iterable[Account],
        looks_until_ready: int,
        refreshes: bool,
        state_path: Path | None,
    ) -> None:
        self.clock = clock
        self.public_url = public_url.rstrip("/")
        self.accounts = {account.urn: account for account in accounts}
        self.looks_until_ready = looks_until_ready
        self.shelf = Shelf(state_path)
        self.grants = Grants(self.shelf, self.accounts, clock, refreshes=refreshes)
        self.windows = Windows()

    def now(self) -> int:
        """Return the moment as LinkedIn writes it: milliseconds."""
        return int(self.clock().timestamp() * 1000)

    def create_post(self, member: Member, post: Thing) -> str:
        check_post(post)
        member.may(WRITE, post["author"], "posts.CREATE")
        content = post.get("content", {})
        self._check_content(post["author"], content)
        for urn, other in self.posts(post["author"]):
            if other["commentary"] == post["commentary"]:
                raise duplicate(urn)
        spent = self.windows.spend(post["author"], POSTS, now=self.clock())
        if spent.over:
            raise too_many()
        urn = f"urn:li:share:{7_430_000_000_000_000_000 + self.shelf.number()}"
        now = self.now()
        times = {"createdAt": now, "publishedAt": now, "lastModifiedAt": now}
        self.shelf.keep("post", urn, {**post, "id": urn, **times})
        return urn

    def posts(self, author: str) -> list[tuple[str, Thing]]:
        """Return the posts of a page, newest first."""
        posts = [one for one in self.shelf.all("post") if one[1]["author"] == author]
        return posts[::-1]

    def post(self, urn: str) -> Thing:
        post = self.shelf.get("post", urn.replace(":activity:", ":share:"))
        if post is None:
            raise not_found(urn)
        return post

    def edit_post(self, member: Member, urn: str, change: Thing) -> None:
        post = self.post(urn)
        member.may(WRITE, post["author"], "posts.PARTIAL_UPDATE")
        check_commentary(change["commentary"])
        changed = {"commentary": change["commentary"], "lastModifiedAt": self.now()}
        self.shelf.keep("post", urn, {**post, **changed})

    def delete_post(self, member: Member, urn: str) -> None:
        """Delete a post; one that is gone already is fine."""
        post = self.shelf.get("post", urn)
        if post is not None:
            member.may(WRITE, post["author"], "posts.DELETE")
            self.shelf.drop("post", urn)

    def create_comment(self, member: Member, urn: str, comment: Thing) -> Thing:
        post, actor = self.post(urn), comment["actor"]
        member.may(WRITE_FEED, actor, "socialActions.CREATE")
        self._check_comment(comment["message"]["text"])
        thread = post["id"].replace(":share:", ":activity:")
        number = str(7_430_000_000_000_000_000 + self.shelf.number())
        stamp = {"actor": actor, "time": self.now()}
        made = {
            "id": number,
            "commentUrn": f"urn:li:comment:({thread},{number})",
            "actor": actor,
            "object": thread,
            "message": {"attributes": [], "text": comment["message"]["text"]},
            "created": stamp,
            "lastModified": stamp,
        }
        self.shelf.keep("comment", number, made)
        return made

    def comments(self, urn: str) -> list[Thing]:
        """Return the comments on a post, oldest first."""
        thread = self.post(urn)["id"].replace(":share:", ":activity:")
        return [one for _, one in self.shelf.all("comment") if one["object"] == thread]

    def edit_comment(self, member: Member, number: str, actor: str, text: str) -> None:
        comment = self.comment(number)
        member.may(WRITE_FEED, actor, "socialActions.PARTIAL_UPDATE")
        self._check_comment(text)
        message = {"attributes": [], "text": text}
        self.shelf.keep("comment", number, {**comment, "message": message})

    def delete_comment(self, member: Member, number: str, actor: str) -> None:
        self.comment(number)
        member.may(WRITE_FEED, actor, "socialActions.DELETE")
        self.shelf.drop("comment", number)

    def comment(self, number: str) -> Thing:
        comment = self.shelf.get("comment", number)
        if comment is None:
            raise not_found(number)
        return comment

    def react(self, urn: str, **counts: int) -> None:
        """Let a post be seen and liked: ``impressionCount=40, LIKE=3``."""
        self.shelf.keep("reactions", urn, dict(counts))

    def reactions(self, urn: str) -> Thing:
        return self.shelf.get("reactions", urn) or {}

    def begin_upload(self, member: Member, owner: str) -> str:
        member.may(WRITE, owner, "images.ACTION")
        urn = f"urn:li:image:D4D{self.shelf.number():05}"
        self.shelf.keep("image", urn, {"owner": owner, "status": "WAITING_UPLOAD"})
        return urn

    def take_upload(self, urn: str, content: bytes) -> None:
        image = self.shelf.get("image", urn)
        if image is None:
            raise not_found(urn)
        status = "PROCESSING" if is_usable(content) else "PROCESSING_FAILED"
        looks = {"status": status, "looks": self.looks_until_ready}
        self.shelf.keep("image", urn, {**image, **looks}, content)

    def look_at_image(self, urn: str) -> Thing:
        """Return an image; each look brings it closer to being ready."""
        image = self.shelf.get("image", urn)
        if image is None:
            raise not_found(urn)
        if image["status"] == "PROCESSING":
            image["looks"] -= 1
            image["status"] = "PROCESSING" if image["looks"] >= 0 else "AVAILABLE"
            self.shelf.keep("image", urn, image)
        return {"id": urn, "owner": image["owner"], "status": image["status"]}

    def _check_content(self, author: str, content: Thing) -> None:
        for shown in images_in(content):
            image = self.shelf.get("image", shown["id"])
            if image is None or image["owner"] != author:
                wrong(
                    "/content/media/id", f"{shown['id']} is not an image of the author"
                )
            if image["status"] != "AVAILABLE":
                wrong("/content/media/id", f"{shown['id']} is not ready")
            if len(shown.get("altText", "")) > MAX_ALT:
                wrong("/content/media/altText", f"length is out of range 0-{MAX_ALT}")
        if "poll" in content:
            check_poll(content["poll"])

    def _check_comment(self, text: str) -> None:
        if len(text) > MAX_COMMENT:
            wrong("/message/text", f"length is out of range 0-{MAX_COMMENT}")
