"""Drafting: what is to be posted about a deal on one account, as its network has it."""

from dataclasses import dataclass
from datetime import timedelta

from sqlmodel import Session

from offers.accounts import ChannelAccount, Show
from offers.catalog import Offer
from offers.deals import Deal, expected_reduction
from offers.pictures import Picture
from offers.posts import Post
from offers.prices import Reduction
from offers.retailers import Retailer
from outletbot.channels import Card, Channel, Draft, Image
from outletbot.composing import compose, compose_over

EARLY = timedelta(minutes=5)
"""A post may be found that went out so much before it was due, by other clocks."""


@dataclass(frozen=True, slots=True)
class Matter:
    """All that a post is made of; *answers* is the network's id of what it answers."""

    post: Post
    deal: Deal
    retailer: Retailer
    account: ChannelAccount
    picture: Picture | None
    reduction: Reduction | None
    answers: str = ""


def gather(session: Session, post: Post) -> Matter:
    deal = session.get_one(Deal, post.deal_id)
    picture_id = session.get_one(Offer, deal.offer_id).picture_id
    answered = post.answers_id and session.get(Post, post.answers_id)
    return Matter(
        post,
        deal,
        session.get_one(Retailer, post.retailer_id),
        session.get_one(ChannelAccount, post.account_id),
        session.get(Picture, picture_id) if picture_id else None,
        expected_reduction(session, deal),
        (answered and answered.remote_id) or "",
    )


def draft_post(matter: Matter, channel: Channel, *, public_url: str) -> Draft:
    """Return the post as it is to be published."""
    deal, retailer = matter.deal, matter.retailer
    link = link_of(matter.post, public_url)
    text = compose(deal, retailer, link, reduction=matter.reduction, channel=channel)
    image = _image(matter, public_url)
    return Draft(
        text=text,
        link=link,
        language=retailer.language,
        since=matter.post.first_due_at - EARLY,
        images=[image] if image and matter.account.show is Show.PICTURE else [],
        card=_card(matter, image) if matter.account.show is Show.CARD else None,
        answers=matter.answers,
    )


def draft_over(matter: Matter, channel: Channel, *, public_url: str) -> Draft:
    """Return what was posted, with the word that the deal is over before it."""
    post, retailer = matter.post, matter.retailer
    text = compose_over(matter.deal, post.text, retailer, channel)
    image = _image(matter, public_url)
    return Draft(
        text=text,
        link=link_of(post, public_url),
        language=retailer.language,
        since=post.first_due_at - EARLY,
        images=[image] if image and matter.account.show is Show.PICTURE else [],
        answers=matter.answers,
    )


def link_of(post: Post, public_url: str) -> str:
    return f"{public_url}/d/{post.code}"


def _image(matter: Matter, public_url: str) -> Image | None:
    picture = matter.picture
    if picture is None:
        return None
    address = f"{public_url}/pictures/{picture.id}/{matter.account.kind}.jpg"
    return Image(picture.content, "image/jpeg", matter.deal.title, address)


def _card(matter: Matter, image: Image | None) -> Card:
    return Card(matter.deal.title, matter.deal.pitch, image)
