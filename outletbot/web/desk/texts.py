"""Texts: a retailer words its posts, and sees what they become on each network.

Nothing is saved by looking, and what is wrong is told beside what was typed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus

from aiohttp import web
from sqlmodel import Session
from yarl import URL

from offers.errors import InvalidField
from offers.posts import PostKind
from offers.sentences import Sentence
from offers.templates import (
    FIELDS,
    PostTemplate,
    check_body,
    choose_template,
    drop_template,
    keep_template,
    templates,
)
from outletbot.composing import builtin_body
from outletbot.keys import CLOCK, DATABASE, RETAILER, SETTINGS
from outletbot.keys import NETWORKS as CHANNELS
from outletbot.known_networks import NETWORKS
from outletbot.languages import LANGUAGES
from outletbot.web.desk.post_preview import PostPreview, preview_post, strangers
from outletbot.web.desk.sample import sample_matter
from outletbot.web.forms import Form, read_text
from outletbot.web.rendering import page

PREVIEW, SAVE, RESET = "preview", "save", "reset"

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class Place:
    """Which text it is; an empty *network* is for all that have none of their own."""

    language: str
    kind: PostKind
    network: str = ""


@dataclass(frozen=True, slots=True)
class TextForm:
    """A text as it is, or as it was *typed*; *own* if the retailer's, and saved."""

    place: Place
    body: str
    own: bool = False
    typed: bool = False
    problem: Sentence | None = None
    posts: Sequence[PostPreview] = ()

    @property
    def name(self) -> str:
        """What its field is called on the page, as nothing else is."""
        return f"text-{self.place.kind}-{self.place.network}".rstrip("-")


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of one kind, the general one first; *more* could have their own."""

    kind: PostKind
    forms: Sequence[TextForm]
    more: Sequence[str]


@routes.get("/texts")
async def show_texts(request: web.Request) -> web.Response:
    """Show the texts of a language, and a new one for a network if one is asked for."""
    query = request.query
    language = query.get("language", "")
    if language not in LANGUAGES:
        language = request[RETAILER].language
    added = None
    if "network" in query:
        place = read_place({**query, "language": language})
        added = TextForm(place, await _body(request, place), typed=True)
    return await _texts_page(request, language, added)


@routes.post("/texts")
async def change_text(request: web.Request) -> web.Response:
    """Show what a text would become, keep it, or go back to ours."""
    form = await request.post()
    place, action = read_place(form), form.get("action")
    if action == RESET:
        await _drop(request, place)
        raise web.HTTPSeeOther(_address(place))
    typed = form.get("body", "")
    body = typed if isinstance(typed, str) else ""
    try:
        body = check_body(place.kind, body)
        if action == SAVE:
            await _keep(request, place, body)
            raise web.HTTPSeeOther(_address(place))
    except InvalidField as problem:
        wrong = TextForm(place, body, typed=True, problem=problem.sentence)
        return await _texts_page(request, place.language, wrong)
    shown = TextForm(place, body, typed=True)
    return await _texts_page(request, place.language, shown)


def read_place(form: Form) -> Place:
    """Return which text a form is about.

    Raises:
        InvalidField: If there is no such text.
    """
    language = _one_of(form, "language", LANGUAGES)
    kind = _one_of(form, "kind", tuple(PostKind))
    network = _one_of(form, "network", ("", *NETWORKS))
    return Place(language, PostKind(kind), network)


def _one_of(form: Form, field: str, choices: Sequence[str]) -> str:
    text = read_text(form, field, longest=60)
    if text not in choices:
        raise InvalidField(field, Sentence("Choose from the list."), text)
    return text


def _address(place: Place) -> URL:
    at = URL("/texts").with_query(language=place.language)
    return at.with_fragment(str(place.kind))


async def _keep(request: web.Request, place: Place, body: str) -> None:
    await request.app[DATABASE].transact(
        keep_template,
        request[RETAILER].id,
        language=place.language,
        kind=place.kind,
        network=place.network,
        body=body,
        now=request.app[CLOCK](),
    )


async def _drop(request: web.Request, place: Place) -> None:
    await request.app[DATABASE].transact(
        drop_template,
        request[RETAILER].id,
        language=place.language,
        kind=place.kind,
        network=place.network,
    )


async def _body(request: web.Request, place: Place) -> str:
    """Return what is said at a place as things are."""
    kept = await _read(request, place.language)
    chosen = choose_template(kept, kind=place.kind, network=place.network)
    return chosen.body if chosen else builtin_body(place.kind, place.language)


async def _read(request: web.Request, language: str) -> list[PostTemplate]:
    retailer_id = request[RETAILER].id
    return await request.app[DATABASE].read(templates, retailer_id, language)


async def _texts_page(
    request: web.Request, language: str, typed: TextForm | None
) -> web.Response:
    texts = await request.app[DATABASE].read(_texts, request, language, typed)
    wrong = typed is not None and typed.problem is not None
    return page(
        request,
        "desk/texts.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK,
        chosen=language,
        texts=texts,
        names={network.kind: network.name for network in NETWORKS.values()},
        fields=FIELDS,
    )


def _texts(
    session: Session, request: web.Request, language: str, typed: TextForm | None
) -> list[Texts]:
    """Return all texts of a language with their posts: some work, so in a thread."""
    kept = templates(session, request[RETAILER].id, language)
    return [_texts_of(request, kind, language, kept, typed) for kind in PostKind]


def _texts_of(
    request: web.Request,
    kind: PostKind,
    language: str,
    kept: Sequence[PostTemplate],
    typed: TextForm | None,
) -> Texts:
    own = {one.network: one.body for one in kept if one.kind == kind}
    bodies = {"": builtin_body(kind, language), **own}
    forms = {
        network: TextForm(Place(language, kind, network), body, own=network in own)
        for network, body in bodies.items()
    }
    if typed is not None and typed.place.kind is kind:
        network = typed.place.network
        forms[network] = replace(typed, own=network in own)
    apart = set(forms) - {""}
    shown = [
        replace(form, posts=list(_posts(request, form, apart)))
        for form in forms.values()
    ]
    return Texts(kind, shown, [network for network in NETWORKS if network not in forms])


def _posts(
    request: web.Request, form: TextForm, apart: set[str]
) -> Iterator[PostPreview]:
    """Yield the posts that a text becomes, wherever no other text is used."""
    if form.problem is not None:
        return
    retailer, place = request[RETAILER], form.place
    now, networks = request.app[CLOCK](), request.app[CHANNELS]
    public_url = request.app[SETTINGS].public_url
    for account in strangers(retailer.id, [], now=now):
        if account.kind in apart and account.kind != place.network:
            continue
        if place.network and account.kind != place.network:
            continue
        matter = sample_matter(retailer, account, place.kind, place.language, now=now)
        template = PostTemplate(
            id="",
            retailer_id=retailer.id,
            language=place.language,
            kind=place.kind,
            network=place.network,
            body=form.body,
            changed_at=now,
        )
        matter = replace(matter, templates=[template])
        yield preview_post(matter, networks, public_url=public_url)
