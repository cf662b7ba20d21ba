"""
What the lexicons say: every call and answer held against the models made of them.

The models are those of ``atproto``, a client that others wrote; they know the forms of
addresses, keys and moments, and how many there may be of each thing.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler
from atproto import models
from pydantic import BaseModel, ValidationError

STRICT = {"strict_string_format": True}
POST = models.AppBskyFeedPost.Record
_SERVER, _REPO = "com.atproto.server", "com.atproto.repo"
# What is asked, and what is answered: None where there is no such part.
CALLS: dict[str, tuple[type[BaseModel] | None, type[BaseModel] | None]] = {
    f"{_SERVER}.createSession": (
        models.ComAtprotoServerCreateSession.Data,
        models.ComAtprotoServerCreateSession.Response,
    ),
    f"{_SERVER}.refreshSession": (
        None,
        models.ComAtprotoServerRefreshSession.Response,
    ),
    f"{_SERVER}.getSession": (None, models.ComAtprotoServerGetSession.Response),
    f"{_REPO}.createRecord": (
        models.ComAtprotoRepoCreateRecord.Data,
        models.ComAtprotoRepoCreateRecord.Response,
    ),
    f"{_REPO}.putRecord": (
        models.ComAtprotoRepoPutRecord.Data,
        models.ComAtprotoRepoPutRecord.Response,
    ),
    f"{_REPO}.deleteRecord": (
        models.ComAtprotoRepoDeleteRecord.Data,
        models.ComAtprotoRepoDeleteRecord.Response,
    ),
    f"{_REPO}.getRecord": (
        models.ComAtprotoRepoGetRecord.Params,
        models.ComAtprotoRepoGetRecord.Response,
    ),
    f"{_REPO}.listRecords": (
        models.ComAtprotoRepoListRecords.Params,
        models.ComAtprotoRepoListRecords.Response,
    ),
    f"{_REPO}.uploadBlob": (None, models.ComAtprotoRepoUploadBlob.Response),
    "app.bsky.feed.getPosts": (
        models.AppBskyFeedGetPosts.Params,
        models.AppBskyFeedGetPosts.Response,
    ),
    "app.bsky.actor.getProfile": (
        models.AppBskyActorGetProfile.Params,
        models.AppBskyActorDefs.ProfileViewDetailed,
    ),
}


@dataclass
class Call:
    """One call as it was made, and how it was answered."""

    method: str
    name: str
    query: dict[str, Any]
    headers: dict[str, str]
    body: Any
    status: int | None = None  # the answer was lost on the way
    answer: Any = None

    def violations(self) -> Iterator[str]:
        """Say in which ways what was asked is not what the lexicon wants."""
        asked, _ = CALLS[self.name]
        if asked is None:
            if self.query or isinstance(self.body, dict):
                yield f"{self.name}: nothing is to be asked"
            return
        yield from self._faults(asked, self.body or self.query)
        if isinstance(self.body, dict) and "record" in self.body:
            yield from self._faults(POST, self.body["record"])

    def answer_violations(self) -> Iterator[str]:
        """Say in which ways the server's part of this is not what it says."""
        _, answered = CALLS[self.name]
        if self.status == 200 and answered is not None:
            yield from self._faults(answered, self.answer)
        elif self.status is not None and set(self.answer) != {"error", "message"}:
            yield f"{self.name}: {self.answer} is no error"

    def _faults(self, model: type[BaseModel], content: Any) -> Iterator[str]:
        try:
            model.model_validate(content, context=STRICT)
        except ValidationError as error:
            yield f"{self.name}: {error}"


@dataclass
class Recorder:
    """Keeps the calls of the protocol that reach a server."""

    calls: list[Call] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        return [call.name.rpartition(".")[2] for call in self.calls]

    def named(self, name: str) -> list[Call]:
        return [call for call in self.calls if call.name.endswith(f".{name}")]

    def violations(self) -> list[str]:
        return [why for call in self.calls for why in call.violations()]

    def answer_violations(self) -> list[str]:
        return [why for call in self.calls for why in call.answer_violations()]

    def middleware(self) -> Any:
        @web.middleware
        async def record(request: web.Request, handler: Handler) -> web.StreamResponse:
            name = request.path.removeprefix("/xrpc/")
            if name not in CALLS:
                return await handler(request)
            call = Call(
                request.method,
                name,
                _query(request),
                dict(request.headers),
                await _read_body(request),
            )
            self.calls.append(call)
            answer = await handler(request)
            if isinstance(answer, web.Response) and isinstance(answer.body, bytes):
                call.status, call.answer = answer.status, json.loads(answer.body)
            return answer

        return record


def _query(request: web.Request) -> dict[str, Any]:
    query: dict[str, Any] = dict(request.query)
    if "uris" in query:
        query["uris"] = request.query.getall("uris")
    if "limit" in query:
        query["limit"] = int(query["limit"])
    return query


async def _read_body(request: web.Request) -> Any:
    if request.content_type != "application/json":
        return await request.read()
    try:
        return await request.json()
    except ValueError:
        return None
