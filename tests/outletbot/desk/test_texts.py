"""
A merchant words the posts, sees what they become on every network before anything is
saved, and can always go back to the sentences that outletbot comes with.
"""

import re
from html import unescape

import pytest
from sqlmodel import Session, select

from offers.posts import PostKind
from offers.templates import PostTemplate, keep_template
from outletbot.composing import builtin_body
from outletbot.known_networks import NETWORKS
from tests.factories import NOON, make_retailer, north
from tests.outletbot.desk.conftest import Client

BODY = "Now: {title} for {price}\n{link}"


async def look(desk: Client, **query: str) -> str:
    answer = await desk.get("/texts", params=query)
    assert answer.status == 200
    return await answer.text()


async def post(desk: Client, **fields: str) -> tuple[int, str]:
    form = {
        "language": "en",
        "kind": "announcement",
        "network": "",
        "body": BODY,
        "action": "save",
        **fields,
    }
    answer = await desk.post("/texts", data=form, allow_redirects=False)
    return answer.status, answer.headers.get("Location") or await answer.text()


def kept(session: Session) -> list[tuple[str, str, str, str]]:
    session.rollback()
    session.expire_all()
    rows = session.exec(select(PostTemplate)).all()
    return [(row.language, row.kind, row.network, row.body) for row in rows]


def keep(session: Session, body: str = BODY, **facts: str) -> None:
    named = {"language": "en", "kind": "announcement", **facts}
    retailer_id = named.pop("retailer_id", "") or north(session).id
    keep_template(session, retailer_id, body=body, now=NOON, **named)
    session.commit()


def texts(html: str) -> dict[str, str]:
    """Return what is typed into each field, by the field's name."""
    found = re.findall(
        r'<textarea id="([^"]+)"[^>]*>\n(.*?)</textarea>', html, re.DOTALL
    )
    return {name.removeprefix("text-"): unescape(body) for name, body in found}


def section(html: str, kind: str) -> str:
    _, _, rest = html.partition(f'<section class="card" id="{kind}"')
    return rest.partition("</section>")[0]


class TestThePage:
    async def test_shows_what_is_said_of_each_kind(self, desk) -> None:
        found = texts(await look(desk))

        assert found == {str(kind): builtin_body(kind, "en") for kind in PostKind}

    async def test_shows_both_languages_the_retailers_first(
        self, desk, session
    ) -> None:
        retailer = north(session)
        retailer.language = "fr"
        session.add(retailer)
        session.commit()
        keep(session, "Voilà {price} {link}", language="fr")
        keep(session)

        french, english = await look(desk), await look(desk, language="en")

        assert texts(french)["announcement"] == "Voilà {price} {link}"
        assert texts(english)["announcement"] == BODY
        assert "Your posts are in another language now" in english
        assert "Your posts are in another language now" not in french
        assert texts(await look(desk, language="tlh"))["announcement"][:5] == "Voilà"

    async def test_shows_each_network_what_it_becomes(self, desk) -> None:
        html = section(await look(desk), "announcement")

        for network in NETWORKS:
            assert f'data-network="{network}"' in html
        assert "Winter parka, rust, size M" in html
        assert "of 500 graphemes" in html

    async def test_tells_the_sample_by_its_kind(self, desk) -> None:
        html = await look(desk)

        assert "20 of 40 left" in section(html, "half_gone")
        assert "Only 3 left" in section(html, "last_units")
        assert "15 left, until" in section(html, "ending")
        assert "SOLD OUT after 7 min" in section(html, "over")

    async def test_calls_nothing_by_the_same_name(self, desk, session) -> None:
        keep(session, network="mastodon")

        names = re.findall(r' id="([^"]+)"', await look(desk))

        assert len(names) == len(set(names))

    async def test_names_every_field(self, desk) -> None:
        html = await look(desk)

        for field in ("title", "prior", "outcome", "link"):
            assert f"<code>{{{field}}}</code>" in html

    async def test_is_linked_from_the_channels_and_the_settings(self, desk) -> None:
        for page in ("/channels", "/settings"):
            assert 'href="/texts"' in await (await desk.get(page)).text()

    async def test_is_for_who_is_signed_in(self, browser) -> None:
        answer = await browser.get("/texts", allow_redirects=False)

        assert (answer.status, answer.headers["Location"]) == (
            303,
            "/sign-in?next=/texts",
        )


class TestPreview:
    async def test_keeps_nothing(self, desk, session) -> None:
        status, html = await post(desk, action="preview")

        assert status == 200
        assert texts(html)["announcement"] == BODY
        assert "Now: Winter parka, rust, size M for €49.90" in html
        assert kept(session) == []

    async def test_opens_what_was_asked_for(self, desk) -> None:
        _, html = await post(desk, kind="over", action="preview", body="{link}")

        assert "<details open>" in section(html, "over")
        assert "<details open>" not in section(html, "announcement")

    async def test_shows_a_networks_text_on_that_network_alone(
        self, desk, session
    ) -> None:
        keep(session, network="mastodon")

        html = section(await look(desk), "announcement")

        assert html.count('data-network="mastodon"') == 1
        assert html.count("Now: Winter parka") == 1

    async def test_puts_nothing_on_the_page_but_words(self, desk) -> None:
        body = "<script>alert(1)</script> </textarea> {price} {link}"

        _, html = await post(desk, action="preview", body=body)

        assert "<script>alert" not in html
        assert html.count("</textarea>") == len(PostKind)


class TestSaving:
    async def test_keeps_a_text(self, desk, session) -> None:
        status, address = await post(desk, kind="ending", language="fr")

        assert (status, address) == (303, "/texts?language=fr#ending")
        assert kept(session) == [("fr", "ending", "", BODY)]

    async def test_keeps_one_of_a_kind(self, desk, session) -> None:
        await post(desk)
        await post(desk, body="{price} {link}")

        assert kept(session) == [("en", "announcement", "", "{price} {link}")]

    @pytest.mark.parametrize(
        ("body", "problem"),
        [
            ("{price} {lnik}", "There is no field {lnik}."),
            ("{title} {price}", "The field {link} is missing."),
            ("{title} {link}", "The field {price} is missing."),
            ("", "Fill this in."),
        ],
    )
    @pytest.mark.parametrize("action", ["save", "preview"])
    async def test_says_what_is_wrong_beside_the_field(
        self, desk, session, body, problem, action
    ) -> None:
        status, html = await post(desk, body=body, action=action)

        assert status == 422
        assert texts(html)["announcement"] == body
        assert f'<p class="error">{problem}</p>' in section(html, "announcement")
        assert html.count('class="error"') == 1
        assert html.count('aria-invalid="true"') == 1
        assert kept(session) == []

    @pytest.mark.parametrize(
        "wrong",
        [{"language": "de"}, {"kind": "rumour"}, {"network": "outlet"}],
    )
    async def test_is_for_the_texts_there_are(self, desk, session, wrong) -> None:
        assert (await post(desk, **wrong))[0] == 422
        assert kept(session) == []

    async def test_goes_back_to_ours(self, desk, session) -> None:
        keep(session)
        assert "Back to ours" in await look(desk)

        status, _ = await post(desk, action="reset")

        assert status == 303
        assert kept(session) == []
        assert "Back to ours" not in await look(desk)

    async def test_leaves_another_retailers_alone(self, desk, session) -> None:
        keep(session, "Theirs {price} {link}", retailer_id=make_retailer(session).id)

        assert "Theirs" not in await look(desk)
        await post(desk, action="reset")
        await post(desk)

        assert sorted(body for *_, body in kept(session)) == [
            BODY,
            "Theirs {price} {link}",
        ]


class TestATextForOneNetwork:
    async def test_begins_as_what_is_said_there(self, desk, session) -> None:
        keep(session)

        html = await look(desk, kind="announcement", network="mastodon")

        assert texts(html)["announcement-mastodon"] == BODY
        assert "not saved yet" in html
        assert '<option value="mastodon">' not in section(html, "announcement")
        assert kept(session)[1:] == []

    async def test_begins_as_ours_where_there_is_no_other(self, desk) -> None:
        html = await look(desk, kind="over", network="mastodon")

        assert texts(html)["over-mastodon"] == builtin_body(PostKind.OVER, "en")

    async def test_is_kept_beside_the_general_one(self, desk, session) -> None:
        keep(session, "{price} {link}")

        await post(desk, network="mastodon")

        found = texts(await look(desk))
        assert found["announcement"] == "{price} {link}"
        assert found["announcement-mastodon"] == BODY

    async def test_is_removed(self, desk, session) -> None:
        keep(session, "{price} {link}")
        keep(session, network="mastodon")

        await post(desk, network="mastodon", action="reset")

        assert kept(session) == [("en", "announcement", "", "{price} {link}")]

    async def test_shows_its_mistakes_where_they_are(self, desk) -> None:
        status, html = await post(desk, network="mastodon", body="{nothing}")

        assert status == 422
        assert texts(html)["announcement-mastodon"] == "{nothing}"
        assert 'aria-describedby="text-announcement-mastodon-help"' in html

    async def test_is_for_a_network_there_is(self, desk) -> None:
        answer = await desk.get(
            "/texts", params={"kind": "announcement", "network": "myspace"}
        )

        assert answer.status == 422


async def test_the_page_is_in_the_readers_language_the_texts_in_their_own(
    desk,
) -> None:
    html = await look(desk, lang="fr", language="en")

    assert '<html lang="fr">' in html
    assert texts(html)["announcement"] == builtin_body(PostKind.ANNOUNCEMENT, "en")
