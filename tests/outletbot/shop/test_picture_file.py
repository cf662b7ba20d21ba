"""
A picture is to be had by anybody as each network takes it, made once, and for no
network that there is not.
"""

from asyncio import gather
from io import BytesIO
from time import sleep

import pytest
from aiohttp import ClientResponse
from PIL import Image
from sqlmodel import Session

from offers.pictures import Picture, keep_picture
from outletbot.channels import Image as ChannelImage
from outletbot.channels import ImageRules
from outletbot.known_networks import NETWORKS
from outletbot.web.shop import picture_file
from tests.factories import NOON, north
from tests.outletbot.shop.conftest import Shop


def keep(session: Session, size: tuple[int, int]) -> Picture:
    buffer = BytesIO()
    Image.new("RGB", size, "navy").save(buffer, "JPEG")
    picture = keep_picture(
        session, north(session).id, buffer.getvalue(), size=size, now=NOON
    )
    session.commit()
    return picture


async def size_of(answer: ClientResponse) -> tuple[int, int]:
    with Image.open(BytesIO(await answer.read())) as picture:
        assert picture.format == "JPEG"
        return picture.size


@pytest.mark.parametrize("kind", ["outlet", *NETWORKS])
async def test_is_a_jpeg_for_every_network(shop: Shop, session, kind) -> None:
    picture = keep(session, (40, 30))

    answer = await shop.get(f"/pictures/{picture.id}/{kind}.jpg")

    assert answer.status == 200
    assert answer.content_type == "image/jpeg"
    assert answer.headers["Cache-Control"] == "public, max-age=86400"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert (await size_of(answer))[0] == 40


async def test_has_the_networks_shape(shop: Shop, session) -> None:
    picture = keep(session, (300, 100))

    answer = await shop.get(f"/pictures/{picture.id}/instagram.jpg")

    assert await size_of(answer) == (300, 158)


async def test_is_the_same_when_asked_for_again(shop: Shop, session) -> None:
    picture = keep(session, (300, 100))
    path = f"/pictures/{picture.id}/instagram.jpg"

    first, second = [await (await shop.get(path)).read() for _ in range(2)]

    assert first == second


@pytest.mark.parametrize(
    "path",
    [
        "/pictures/picture_none/mastodon.jpg",
        "/pictures/{id}/myspace.jpg",
        "/pictures/{id}/mastodon.png",
        "/pictures/{id}/.jpg",
        "/pictures/{id}/..%2Fmastodon.jpg",
    ],
)
async def test_is_not_where_there_is_none(shop: Shop, session, path) -> None:
    picture = keep(session, (40, 30))

    assert (await shop.get(path.format(id=picture.id))).status == 404


async def test_is_not_made_of_what_is_no_picture(shop: Shop, session) -> None:
    kept = keep_picture(
        session, north(session).id, b"no picture", size=(1, 1), now=NOON
    )
    session.commit()

    assert (await shop.get(f"/pictures/{kept.id}/mastodon.jpg")).status == 404


async def test_many_who_ask_keep_one_thread_busy(
    shop: Shop, session, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture, made, busy, most = keep(session, (300, 100)), [], [], []

    def fit(image: ChannelImage, rules: ImageRules) -> ChannelImage:
        busy.append(rules)
        most.append(len(busy))
        sleep(0.02)
        made.append(busy.pop())
        return image

    monkeypatch.setattr(picture_file, "fit_image", fit)
    kinds = list(NETWORKS)[:4]
    await gather(
        *(shop.get(f"/pictures/{picture.id}/{kind}.jpg") for kind in kinds * 5)
    )

    assert max(most) == 1
    assert len(made) == len(kinds)
