"""What X says of its posts, in the words in which it is asked.

Asked for ``post.fields`` it speaks of posts, and else (``tweet.fields``, or nothing) of
tweets, as X was seen to do while it renames them. A field that a list does not know is
left out without a word.
"""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from outletbot.sandbox.shelf import Thing
from outletbot.sandbox.x_rules import addresses
from outletbot.sandbox.x_state import XSandbox

Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Words:
    """One vocabulary: of posts, or of tweets."""

    noun: str
    repost: str
    referenced_is_field: bool

    @property
    def referenced(self) -> str:
        return f"referenced_{self.noun}s"


POSTS = Words("post", "repost_count", referenced_is_field=False)
TWEETS = Words("tweet", "retweet_count", referenced_is_field=True)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for of each post."""

    words: Words
    fields: Collection[str]
    expansions: Collection[str]

    @property
    def references(self) -> bool:
        known = self.expansions if not self.words.referenced_is_field else self.fields
        return any(name.startswith(self.words.referenced) for name in known)


def read_wanted(query: Mapping[str, str]) -> Wanted:
    words = POSTS if "post.fields" in query else TWEETS
    fields = query.get(f"{words.noun}.fields", "").split(",")
    return Wanted(words, fields, query.get("expansions", "").split(","))


def post_json(sandbox: XSandbox, post: Thing, wanted: Wanted) -> Json:
    text, urls = shortened(sandbox, post)
    made_at = datetime.fromisoformat(post["created_at"])
    facts: Json = {
        "created_at": made_at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "conversation_id": post["conversation_id"],
        "public_metrics": _metrics(sandbox, post, wanted.words),
    }
    if urls:
        facts["entities"] = {"urls": urls}
    history = f"edit_history_{wanted.words.noun}_ids"
    answer: Json = {"id": post["id"], "text": text, history: [post["id"]]}
    answer |= {name: facts[name] for name in wanted.fields if name in facts}
    if post["answers"] and wanted.references:
        reference = {"type": "replied_to", "id": post["answers"]}
        answer[wanted.words.referenced] = [reference]
    return answer


def shortened(sandbox: XSandbox, post: Thing) -> tuple[str, list[Json]]:
    """Return a post's text with X's own addresses, and what they stand for."""
    text, urls, end = "", [], 0
    for found in addresses(post["text"]):
        text += post["text"][end : found.start()]
        urls.append(_url(len(text), found[0]))
        text, end = text + urls[-1]["url"], found.end()
    text += post["text"][end:]
    for media_id in post["media_ids"][:1]:
        urls.append(_url(len(text) + 1, f"{sandbox.public_url}/media/{media_id}"))
        text += f" {urls[-1]['url']}"
    return text, urls


def _url(start: int, address: str) -> Json:
    short = f"https://t.co/{hashlib.sha256(address.encode()).hexdigest()[:10]}"
    return {
        "start": start,
        "end": start + len(short),
        "url": short,
        "expanded_url": address,
        "display_url": address.partition("://")[2][:25],
    }


def _metrics(sandbox: XSandbox, post: Thing, words: Words) -> Json:
    return {
        words.repost: post["metrics"]["reposts"],
        "reply_count": len(sandbox.answers_to(post["id"])),
        "like_count": post["metrics"]["likes"],
        "quote_count": 0,
        "bookmark_count": 0,
        "impression_count": post["metrics"]["views"],
    }


def media_json(media: Thing) -> Json:
    answer = {
        "id": media["id"],
        "media_key": f"3_{media['id']}",
        "size": media["size"],
        "expires_after_secs": 86_400,
    }
    if media["looks"]:
        state = {"state": "in_progress", "check_after_secs": 1, "progress_percent": 50}
        answer["processing_info"] = state
    return answer
