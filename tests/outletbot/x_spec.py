"""
What X documents: every call and answer held against its OpenAPI description.

The description is not ours to copy: it is read from the shared folder beside the
repository, and where that is absent nothing is checked.
"""

import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import jsonschema
from aiohttp import web
from aiohttp.typedefs import Handler

from tests.outletbot.mastodon_spec import SHARED

SPEC = SHARED / "specs/x-openapi.json"


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
    status: int | None = None  # the answer was lost on the way
    answer: Any = None

    @property
    def name(self) -> str:
        return f"{self.method} {self.template}"

    def violations(self) -> Iterator[str]:
        """Say in which ways this is not what is documented."""
        operation = self._operation()
        if operation is None:
            yield f"{self.name}: no such call"
            return
        yield from (f"{self.name}: {why}" for why in self._query_faults(operation))
        yield from (f"{self.name}: {why}" for why in self._body_faults(operation))
        yield from self.answer_violations()

    def answer_violations(self) -> Iterator[str]:
        """Say in which ways the server's part of this is not what is documented."""
        operation = self._operation()
        if operation is None or self.status is None or self._is_in_old_words():
            return
        yield from (f"{self.name}: {why}" for why in self._answer_faults(operation))

    def _is_in_old_words(self) -> bool:
        """Tell whether tweets were asked for: only posts are described."""
        return "tweet.fields" in self.query

    def _operation(self) -> dict[str, Any] | None:
        return load_spec()["paths"].get(self.template, {}).get(self.method.lower())

    def _query_faults(self, operation: dict[str, Any]) -> Iterator[str]:
        parameters = [_resolved(one) for one in operation.get("parameters", ())]
        known = {one["name"]: one for one in parameters if one["in"] == "query"}
        for name, value in self.query.items():
            if name not in known:
                yield f"no parameter {name}"
                continue
            schema = known[name]["schema"]
            yield from (
                f"{name}={value}: {why}"
                for why in _errors(schema, _read(schema, value))
            )
        for name, parameter in known.items():
            if parameter.get("required") and name not in self.query:
                yield f"{name} is required"

    def _body_faults(self, operation: dict[str, Any]) -> Iterator[str]:
        if "requestBody" not in operation:
            yield from ("no body is wanted",) if self.body else ()
            return
        content = operation["requestBody"]["content"]
        kind = self.headers.get("Content-Type", "").partition(";")[0]
        if kind not in content:
            yield f"the body is {kind}, not {list(content)}"
            return
        yield from _errors(content[kind]["schema"], self.body)

    def _answer_faults(self, operation: dict[str, Any]) -> Iterator[str]:
        answers = operation["responses"]
        known = answers.get(str(self.status), answers["default"])["content"]
        if self.status < 300:
            if str(self.status) not in answers:
                yield f"no answer {self.status}"
            yield from _errors(known["application/json"]["schema"], self.answer)
        elif self._has_documented_type():
            yield from _errors(known["application/problem+json"]["schema"], self.answer)

    def _has_documented_type(self) -> bool:
        """Tell a problem of a documented type from those that X was seen to answer."""
        types = load_spec()["components"]["schemas"]["Problem"]["discriminator"]
        return self.answer.get("type") in types["mapping"]


@dataclass
class Recorder:
    """Keeps the calls of the API that reach a server."""

    calls: list[Call] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        return [call.name for call in self.calls]

    def named(self, name: str) -> list[Call]:
        return [call for call in self.calls if call.name == name]

    def violations(self) -> list[str]:
        return [why for call in self.calls for why in call.violations()]

    def answer_violations(self) -> list[str]:
        return [why for call in self.calls for why in call.answer_violations()]

    def middleware(self) -> Any:
        @web.middleware
        async def record(request: web.Request, handler: Handler) -> web.StreamResponse:
            resource = request.match_info.route.resource
            if resource is None or not _is_described(request.path):
                return await handler(request)
            call = Call(
                request.method,
                resource.canonical,
                dict(request.query),
                dict(request.headers),
                await _read_body(request),
            )
            self.calls.append(call)
            answer = await handler(request)
            if isinstance(answer, web.Response) and isinstance(answer.body, bytes):
                call.status, call.answer = answer.status, json.loads(answer.body)
            return answer

        return record


def _is_described(path: str) -> bool:
    """The way in is X's own, but in no description of its API."""
    return path.startswith("/2/") and not path.startswith("/2/oauth2/")


async def _read_body(request: web.Request) -> Any:
    if request.content_type == "application/json":
        return json.loads(await request.text())
    form = await request.post()
    return {
        name: value if isinstance(value, str) else "a file"
        for name, value in form.items()
    }


def _resolved(part: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in part:
        return part
    _, _, group, name = part["$ref"].split("/")
    return load_spec()["components"][group][name]


def _read(schema: dict[str, Any], value: str) -> Any:
    """Read a parameter as its schema has it; what cannot be read stays as it is."""
    kind = _resolved(schema).get("type")
    if kind == "array":
        return value.split(",")
    return int(value) if kind == "integer" and value.isdecimal() else value


def _errors(schema: dict[str, Any], value: Any) -> Iterator[str]:
    whole = {"allOf": [schema], "components": load_spec()["components"]}
    for error in jsonschema.Draft202012Validator(whole).iter_errors(value):
        yield f"{error.json_path}: {error.message[:200]}"
