"""Drafting: what is to be posted about a deal on one account, as its network has it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.exc import NoResultFound
from sqlmodel import Session

from offers.accounts import ChannelAccount, Show
from offers.catalog import Offer
from offers.deals import Deal, expected_reduction
from offers.pictures import Picture
from offers.posts import Post
from offers.prices import Reduction
from offers.retailers import Retailer
from offers.templates import PostTemplate, choose_template, templates
from outletbot.channels import Ability, Card, Channel, Draft, Image, Rejected
from outletbot.composing import Occasion, compose, compose_over
from outletbot.known_networks import network_name

EARLY = timedelta(minutes=5)
"""A post may be found that went out so much before it was due, by other clocks."""


@dataclass(frozen=True, slots=True)
class Matter:
    """All that a post is made of; *answers* is the network's id of what it answers.

    *templates* are the retailer's own, in its language.
    """

    post: Post
    deal: Deal
    retailer: Retailer
    account: ChannelAccount
    picture: Picture | None
    reduction: Reduction | None
    answers: str = ""
    templates: Sequence[PostTemplate] = ()


def gather(session: Session, post: Post) -> Matter:
    deal = session.get_one(Deal, post.deal_id)
    retailer = session.get_one(Retailer, post.retailer_id)
    picture_id = session.get_one(Offer, deal.offer_id).picture_id
    answered = post.answers_id and session.get(Post, post.answers_id)
    return Matter(
        post,
        deal,
        retailer,
        session.get_one(ChannelAccount, post.account_id),
        session.get(Picture, picture_id) if picture_id else None,
        expected_reduction(session, deal),
        (answered and answered.remote_id) or "",
        templates(session, retailer.id, retailer.language),
    )


def gather_all(
    session: Session, posts: Sequence[Post]
) -> dict[str, Matter | Exception]:
    """What posts of one deal have in common is read once; each has its own trouble."""
    matters: dict[str, Matter | Exception] = {}
    for post in posts:
        try:
            matters[post.id] = gather(session, post)
        except (NoResultFound, LookupError) as error:
            matters[post.id] = error
    return matters


def draft_post(matter: Matter, channel: Channel, *, public_url: str) -> Draft:
    """Return the post as it is to be published, worded by its kind.

    Raises:
        Rejected: If the network needs a picture and there is none, or has too little
            room.
    """
    post, retailer, kind = matter.post, matter.retailer, matter.account.kind
    images = _images(matter, channel, public_url)
    if not images and _needs_picture(matter, channel):
        msg = f"{network_name(kind)} needs a picture: add one to the offer."
        raise Rejected(msg)
    occasion = Occasion(
        kind=post.kind,
        deal=matter.deal,
        retailer=retailer,
        reduction=matter.reduction,
        link=link_of(post, public_url),
        outlet=f"{public_url}/o/{retailer.slug}",
    )
    template = choose_template(matter.templates, kind=post.kind, network=kind)
    return Draft(
        text=compose(occasion, template, channel, pictured=bool(images)),
        link=occasion.link,
        language=retailer.language,
        since=post.first_due_at - EARLY,
        images=images,
        card=None if images else _card(matter, public_url),
        answers=matter.answers,
    )


def draft_over(matter: Matter, channel: Channel, *, public_url: str) -> Draft:
    """Return what was posted, with the word that the deal is over before it.

    Raises:
        Rejected: If the network has too little room.
    """
    post, retailer = matter.post, matter.retailer
    images, link = _images(matter, channel, public_url), link_of(post, public_url)
    text = compose_over(
        matter.deal, post.text, retailer, channel, link=link, pictured=bool(images)
    )
    return Draft(
        text=text,
        link=link,
        language=retailer.language,
        since=post.first_due_at - EARLY,
        images=images,
        answers=matter.answers,
    )


def link_of(post: Post, public_url: str) -> str:
    return f"{public_url}/d/{post.code}"


def _needs_picture(matter: Matter, channel: Channel) -> bool:
    """Whether a network takes no post without one; an answer is no post there."""
    limits = channel.capabilities
    answers = bool(matter.answers) and Ability.ANSWER in limits.abilities
    return limits.images.least > 0 and not answers


def _images(matter: Matter, channel: Channel, public_url: str) -> list[Image]:
    """Return the pictures of a post, as many as the account shows and may.

    A network that posts nothing without a picture gets it whatever the account shows.
    """
    rules, image = channel.capabilities.images, _image(matter, public_url)
    wanted = matter.account.show is Show.PICTURE or rules.least > 0
    return [image][: rules.most] if image and wanted else []


def _image(matter: Matter, public_url: str) -> Image | None:
    picture = matter.picture
    if picture is None:
        return None
    address = f"{public_url}/pictures/{picture.id}/{matter.account.kind}.jpg"
    return Image(picture.content, "image/jpeg", matter.deal.title, address)


def _card(matter: Matter, public_url: str) -> Card | None:
    if matter.account.show is not Show.CARD:
        return None
    image = _image(matter, public_url)
    return Card(matter.deal.title, matter.deal.pitch, image)
