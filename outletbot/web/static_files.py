"""Static files: each under an address that changes with its content.

So a browser may keep a file for ever, and still has the new one when there is one.
"""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from aiohttp import hdrs, web

from outletbot.web.guard import public

FOLDER = Path(__file__).parent / "static"
FOR_EVER = "public, max-age=31536000, immutable"
A_WHILE = "public, max-age=300"

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class StaticFile:
    """*squeezed* is *body* by gzip; a picture that it would not shrink has none."""

    name: str
    body: bytes
    squeezed: bytes
    digest: str
    content_type: str

    @property
    def hashed_name(self) -> str:
        """The name with the digest in it, such as ``outletbot.3f9a12c0.css``."""
        stem, dot, ending = self.name.rpartition(".")
        return f"{stem}.{self.digest}{dot}{ending}"


def static(name: str) -> str:
    """Return the address of the file *name*, for a page to link to.

    Raises:
        KeyError: If there is no such file: a page that links to nothing is a bug.
    """
    return f"/static/{_files()[name].hashed_name}"


@routes.get("/static/{name}")
@public
async def send_file(request: web.Request) -> web.Response:
    """Send a file, by its hashed name for ever, by its plain one for a while."""
    name = request.match_info["name"]
    plain = name in _files()
    file = _files().get(name) or _by_hashed_name().get(name)
    if file is None:
        raise web.HTTPNotFound
    squeezed = file.squeezed and "gzip" in request.headers.get("Accept-Encoding", "")
    response = web.Response(
        body=file.squeezed if squeezed else file.body, content_type=file.content_type
    )
    response.headers[hdrs.CACHE_CONTROL] = A_WHILE if plain else FOR_EVER
    response.headers[hdrs.VARY] = "Accept-Encoding"
    if squeezed:
        response.headers[hdrs.CONTENT_ENCODING] = "gzip"
    return response


@cache
def _files() -> dict[str, StaticFile]:
    return {path.name: _read(path) for path in FOLDER.iterdir() if path.is_file()}


@cache
def _by_hashed_name() -> dict[str, StaticFile]:
    return {file.hashed_name: file for file in _files().values()}


def _read(path: Path) -> StaticFile:
    body = path.read_bytes()
    squeezed = gzip.compress(body, 9, mtime=0)
    kind, _ = mimetypes.guess_type(path.name)
    return StaticFile(
        name=path.name,
        body=body,
        squeezed=squeezed if len(squeezed) < len(body) * 0.9 else b"",
        digest=hashlib.sha256(body).hexdigest()[:8],
        content_type=kind or "application/octet-stream",
    )
