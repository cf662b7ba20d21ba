"""
What Discord documents: every call and answer held against its OpenAPI description.

The description is not ours to copy: it is read from the shared folder beside the
repository, and where that is absent nothing is checked.
"""

import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import jsonschema
from aiohttp import web
from aiohttp.typedefs import Handler

from tests.outletbot.mastodon_spec import SHARED

SPEC = SHARED / "specs/discord-openapi.json"
BASE = "/api/v10"
UNDOCUMENTED_STATUSES = {500}


@functools.cache
def load_spec() -> dict[str, Any]:
    return json.loads(SPEC.read_text())


@dataclass
class Call:
    """One call as it was made, and how it was answered."""

    method: str
    template: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any
    kind: str = "application/json"
    status: int | None = None  # the answer was lost on the way
    answer: Any = None

    @property
    def name(self) -> str:
        return f"{self.method} {self.template}"

    def violations(self) -> Iterator[str]:
        """Say in which ways this is not what is documented."""
        operation = self._operation()
        known = {one["name"] for one in operation.get("parameters", ())}
        for name in self.query.keys() - known:
            yield f"{self.name}: no {name} in a query"
        if self.status is None or self.status < HTTPStatus.BAD_REQUEST:
            yield from (f"{self.name}: {why}" for why in self._body_faults(operation))
        yield from self.answer_violations()

    def answer_violations(self) -> Iterator[str]:
        """Say in which ways the server's part of this is not what is documented."""
        operation = self._operation()
        if not operation:
            yield f"{self.name}: no such call"
        yield from (f"{self.name}: {why}" for why in self._answer_faults(operation))

    def _operation(self) -> dict[str, Any]:
        return load_spec()["paths"].get(self.template, {}).get(self.method.lower(), {})

    def _body_faults(self, operation: dict[str, Any]) -> Iterator[str]:
        if "requestBody" not in operation:
            yield from ("no body is wanted",) if self.body else ()
            return
        schema = operation["requestBody"]["content"][self.kind]["schema"]
        for name in set(self.body or ()) - _properties(schema):
            yield f"no field {name}"
        yield from _errors(schema, self.body)

    def _answer_faults(self, operation: dict[str, Any]) -> Iterator[str]:
        if self.status is None or self.status in UNDOCUMENTED_STATUSES:
            return
        answers = operation.get("responses", {})
        wide = f"{self.status // 100}XX"
        found = answers.get(str(self.status)) or answers.get(wide)
        if found is None:
            yield f"no answer {self.status}"
            return
        found = _resolved(found)
        if "application/json" in found.get("content", {}):
            answer = _without_details(self.answer)
            yield from _errors(found["content"]["application/json"]["schema"], answer)


@dataclass
class Recorder:
    """Keeps the calls of the API that reach a server."""

    calls: list[Call] = field(default_factory=list)

    def named(self, method: str) -> list[Call]:
        return [call for call in self.calls if call.method == method]

    def violations(self) -> list[str]:
        return [why for call in self.calls for why in call.violations()]

    def answer_violations(self) -> list[str]:
        return [why for call in self.calls for why in call.answer_violations()]

    def middleware(self) -> Any:
        @web.middleware
        async def record(request: web.Request, handler: Handler) -> web.StreamResponse:
            resource = request.match_info.route.resource
            if resource is None or not request.path.startswith(BASE):
                return await handler(request)
            try:
                body = await _read_body(request)
            except ValueError:
                return await handler(request)  # what is no JSON is not documented
            call = Call(
                request.method,
                resource.canonical.removeprefix(BASE),
                dict(request.query),
                dict(request.headers),
                body,
                request.content_type if body else "application/json",
            )
            self.calls.append(call)
            answer = await handler(request)
            if isinstance(answer, web.Response) and (
                answer.body or answer.status == HTTPStatus.NO_CONTENT
            ):
                call.status = answer.status
                call.answer = json.loads(answer.body) if answer.body else None
            return answer

        return record


async def _read_body(request: web.Request) -> Any:
    if request.content_type == "multipart/form-data":
        payload = (await request.post())["payload_json"]
        return json.loads(payload if isinstance(payload, str) else bytes(payload))
    return await request.json() if request.can_read_body else None


def _without_details(answer: Any) -> Any:
    """Drop what is wrong with which field.

    Its codes are numbers in the description, and words in Discord's own examples ("API
    Reference", "Error Messages").
    """
    if isinstance(answer, dict) and "code" in answer:
        return {name: value for name, value in answer.items() if name != "errors"}
    return answer


def _resolved(part: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in part:
        return part
    found = load_spec()
    for name in part["$ref"].removeprefix("#/").split("/"):
        found = found[name]
    return found


def _errors(schema: dict[str, Any], value: Any) -> Iterator[str]:
    whole = {**schema, "components": load_spec()["components"]}
    for error in jsonschema.Draft202012Validator(whole).iter_errors(value):
        yield f"{error.json_path}: {error.message[:200]}"


def _properties(schema: dict[str, Any]) -> set[str]:
    schema = _resolved(schema)
    parts = [
        part for key in ("allOf", "oneOf", "anyOf") for part in schema.get(key, ())
    ]
    return set(schema.get("properties", ())).union(*map(_properties, parts))
