"""
A post is drafted by its kind, in its retailer's words, with what its account shows and
its network wants.
"""

from dataclasses import replace

import pytest
from sqlmodel import Session

from offers.accounts import ChannelAccount, Show
from offers.deals import Deal
from offers.pictures import Picture, keep_picture
from offers.posts import Post, PostKind
from offers.templates import keep_template
from outletbot.channels import Capabilities, Card, Image, ImageRules, Rejected
from outletbot.drafting import EARLY, draft_over, draft_post, gather
from tests.factories import (
    MINUTE,
    NOON,
    make_account,
    make_deal,
    make_offer,
    make_post,
    north,
)
from tests.fakes import FakeChannel

URL = "https://outlet.example"
RULES = ImageRules(most=4, max_bytes=5_000_000, max_alt_length=1_500)


def channel(name: str = "mastodon", **rules: int) -> FakeChannel:
    limits = Capabilities(max_length=500, max_caption=120, images=RULES)
    limits = replace(limits, images=replace(RULES, **rules))
    return FakeChannel(name=name, capabilities=limits)


@pytest.fixture
def deal(session: Session) -> Deal:
    return make_deal(session, title="Fjord parka", pitch="The warm one.")


@pytest.fixture
def account(session: Session) -> ChannelAccount:
    return make_account(session)


@pytest.fixture
def post(session: Session, deal: Deal, account: ChannelAccount) -> Post:
    return make_post(session, deal, account)


@pytest.fixture
def picture(session: Session, deal: Deal) -> Picture:
    kept = keep_picture(session, deal.retailer_id, b"jpeg", size=(4, 3), now=NOON)
    offer = make_offer(session, picture_id=kept.id)
    deal.offer_id = offer.id
    session.add(deal)
    session.commit()
    return kept


class TestDraftPost:
    def test_is_found_by_its_own_link(self, session, post) -> None:
        draft = draft_post(gather(session, post), channel(), public_url=URL)

        assert draft.link == f"{URL}/d/{post.code}"
        assert draft.text.split("\n")[-1] == draft.link
        assert (draft.language, draft.answers) == ("en", "")
        assert draft.since == post.first_due_at - EARLY

    def test_shows_the_picture_with_its_address(self, session, post, picture) -> None:
        draft = draft_post(gather(session, post), channel(), public_url=URL)

        address = f"{URL}/pictures/{picture.id}/mastodon.jpg"
        assert draft.images == [Image(b"jpeg", "image/jpeg", "Fjord parka", address)]
        assert draft.card is None

    def test_keeps_to_the_caption_beside_a_picture(
        self, session, post, picture
    ) -> None:
        draft = draft_post(gather(session, post), channel(), public_url=URL)

        assert len(draft.text) <= 120

    def test_shows_a_card_if_the_account_does(
        self, session, post, account, picture
    ) -> None:
        account.show = Show.CARD

        draft = draft_post(gather(session, post), channel(), public_url=URL)

        assert draft.images == []
        assert draft.card == Card("Fjord parka", "The warm one.", draft.card.image)
        assert draft.card.image.content == b"jpeg"
        assert "The warm one." in draft.text

    def test_shows_nothing_if_the_account_does_not(
        self, session, post, account, picture
    ) -> None:
        account.show = Show.NOTHING

        draft = draft_post(gather(session, post), channel(), public_url=URL)

        assert (list(draft.images), draft.card) == ([], None)

    def test_shows_no_more_pictures_than_the_network(
        self, session, post, picture
    ) -> None:
        draft = draft_post(gather(session, post), channel(most=0), public_url=URL)

        assert list(draft.images) == []

    @pytest.mark.parametrize("show", list(Show))
    def test_gives_a_picture_to_a_network_that_wants_one(
        self, session, post, account, picture, show
    ) -> None:
        account.show = show

        draft = draft_post(gather(session, post), channel(least=1), public_url=URL)

        assert [image.content for image in draft.images] == [b"jpeg"]
        assert draft.card is None

    def test_says_in_words_that_a_picture_is_wanted(
        self, session, post, account
    ) -> None:
        account.kind = "instagram"
        matter = gather(session, post)

        with pytest.raises(Rejected) as refusal:
            draft_post(matter, channel("instagram", least=1), public_url=URL)

        assert str(refusal.value) == (
            "Instagram needs a picture: add one to the offer."
        )

    def test_answers_without_a_picture_too(self, session, post) -> None:
        """It answers a post that had one."""
        matter = replace(gather(session, post), answers="1")

        draft = draft_post(matter, channel(least=1), public_url=URL)

        assert (draft.answers, list(draft.images)) == ("1", [])

    def test_wants_a_picture_where_an_answer_is_a_post(self, session, post) -> None:
        matter = replace(gather(session, post), answers="1")
        there = channel(least=1)
        there.capabilities = replace(there.capabilities, abilities=frozenset())

        with pytest.raises(Rejected, match="needs a picture"):
            draft_post(matter, there, public_url=URL)

    def test_calls_a_network_that_nobody_knows_by_its_kind(
        self, session, post, account
    ) -> None:
        account.kind = "myspace"

        with pytest.raises(Rejected, match="Myspace needs a picture"):
            draft_post(gather(session, post), channel(least=1), public_url=URL)


class TestWords:
    @pytest.mark.parametrize(
        ("kind", "title"),
        [
            (PostKind.ANNOUNCEMENT, "Fjord parka"),
            (PostKind.HALF_GONE, "Half gone: Fjord parka"),
            (PostKind.LAST_UNITS, "Last units: Fjord parka"),
            (PostKind.ENDING, "Ending soon: Fjord parka"),
            (PostKind.OVER, "ENDED · Fjord parka"),
        ],
    )
    def test_are_those_of_the_kind(self, session, post, kind, title) -> None:
        post.kind = kind

        draft = draft_post(gather(session, post), channel(), public_url=URL)

        assert draft.text.split("\n")[0] == title

    def test_answer_what_was_announced(self, session, deal, account, post) -> None:
        post.remote_id = "remote-1"
        session.add(post)
        session.commit()
        answer = make_post(
            session, deal, account, kind=PostKind.OVER, answers_id=post.id
        )

        draft = draft_post(gather(session, answer), channel(), public_url=URL)

        assert draft.answers == "remote-1"
        assert f"{URL}/o/north" in draft.text

    def test_are_the_networks_own_then_the_retailers_then_ours(
        self, session, post
    ) -> None:
        def said() -> str:
            matter = gather(session, post)
            return draft_post(matter, channel(), public_url=URL).text.split("\n")[0]

        def keep(body: str, network: str, language: str = "en") -> None:
            keep_template(
                session,
                post.retailer_id,
                language=language,
                kind=post.kind,
                network=network,
                body=body,
                now=NOON,
            )

        keep("Autre réseau\n{price}\n{link}", "mastodon", "fr")
        keep("Other network\n{price}\n{link}", "x")
        assert said() == "Fjord parka"
        keep("Everywhere\n{price}\n{link}", "")
        assert said() == "Everywhere"
        keep("Only here\n{price}\n{link}", "mastodon")
        assert said() == "Only here"

    def test_are_in_the_retailers_language(self, session, post) -> None:
        retailer = north(session)
        retailer.language = "fr"
        session.add(retailer)
        session.commit()

        draft = draft_post(gather(session, post), channel(), public_url=URL)

        assert draft.language == "fr"
        assert "49,99\xa0€" in draft.text


class TestDraftOver:
    def test_goes_before_what_was_posted(self, session, deal, post) -> None:
        deal.sold_out_at = deal.opens_at + 7 * MINUTE
        link = f"{URL}/d/{post.code}"
        post.text = f"My words\n€49.99\n{link}"

        draft = draft_over(gather(session, post), channel(), public_url=URL)

        assert draft.text == f"SOLD OUT after 7 min · {post.text}"
        assert (draft.link, draft.card) == (link, None)

    def test_keeps_to_the_caption_beside_its_picture(
        self, session, post, picture
    ) -> None:
        link = f"{URL}/d/{post.code}"
        post.text = f"My words\n{'and more ' * 20}\n€49.99\n{link}"

        draft = draft_over(gather(session, post), channel(), public_url=URL)

        assert draft.text == f"ENDED · My words\n€49.99\n{link}"
        assert [image.content for image in draft.images] == [b"jpeg"]
