"""
What holds for every channel, whichever network it is: a class of tests.

A network's own file makes a ``World`` in a fixture named ``world`` and inherits:

    class TestContract(ChannelContract): ...
"""

import socket
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any, Protocol

import pytest
from PIL import Image as Pillow

from outletbot.channels import (
    Ability,
    CannotLook,
    Channel,
    Disowned,
    Draft,
    Image,
    Limited,
    Rejected,
    TryLater,
    Unconfirmed,
)
from outletbot.channels.calls import Patience
from outletbot.sandbox.faults import Fault, Faults

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LINK = "https://outlet.example.com/d/k7Qx2mZp9LwT"
OTHER = "https://outlet.example.com/d/zzzzzzzzzzzz"
IMPATIENT = Patience(
    connection=timedelta(seconds=1),
    answer=timedelta(milliseconds=900),
    picture=timedelta(milliseconds=200),
    glance=timedelta(milliseconds=5),
)
LOST = [Fault.TIMEOUT_BEFORE, Fault.TIMEOUT_AFTER, Fault.CUT_BODY]


@dataclass
class StandingClock:
    """Time that passes when it is told to."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def advance(self, by: timedelta) -> None:
        self.now += by


class World(Protocol):
    """A sandbox with an account on it, and a channel to that account."""

    faults: Faults
    clock: StandingClock
    secrets: tuple[str, ...]
    """Whatever of the credentials must never be said."""
    check_call: str
    """The call of the sandbox that ``check`` makes: ``GET /2/users/me``."""
    publish_call: str
    """The one after which a post is out."""
    delete_call: str

    def channel(self, *, base_url: str = "", good: bool = True) -> Channel:
        """Return a channel: elsewhere with *base_url*, refused if not *good*."""
        ...

    def texts(self) -> list[str]:
        """Return the texts of all that is posted now, answers too, oldest first."""
        ...


def make_image(
    alt: str = "A red parka",
    size: tuple[int, int] = (640, 480),
    *,
    colour: str = "red",
    address: str = "",
) -> Image:
    buffer = BytesIO()
    Pillow.new("RGB", size, colour).save(buffer, "JPEG")
    return Image(buffer.getvalue(), "image/jpeg", alt, address)


def make_draft(
    text: str = "Parka, half price", *, link: str = LINK, **facts: Any
) -> Draft:
    facts = {"language": "en", "since": NOON, **facts}
    return Draft(f"{text}\n{link}", link, **facts)


class _Stay(Exception):
    """What says that a post is not to leave."""


class ChannelContract:
    """Override ``draft`` where a network wants more of a post than a text."""

    def draft(
        self, world: World, text: str = "Parka, half price", **facts: Any
    ) -> Draft:
        return make_draft(text, **facts)

    async def test_check_tells_the_handle(self, world: World) -> None:
        assert await world.channel().check()

    async def test_publishes_what_then_is_found(self, world: World) -> None:
        channel, draft = world.channel(), self.draft(world)

        published = await channel.publish(draft, key="post_1")

        assert [text.split("\n")[0] for text in world.texts()] == ["Parka, half price"]
        assert published.remote_id
        if Ability.FIND in channel.capabilities.abilities:
            assert await world.channel().find(draft) == published
        else:
            with pytest.raises(CannotLook):
                await world.channel().find(draft)

    async def test_finds_no_other_post(self, world: World) -> None:
        channel = world.channel()
        if Ability.FIND not in channel.capabilities.abilities:
            pytest.skip("nobody can look on this network")
        await channel.publish(self.draft(world), key="post_1")

        assert await channel.find(self.draft(world, link=OTHER)) is None

    async def test_an_answer_stands_under_its_post(self, world: World) -> None:
        channel, draft = world.channel(), self.draft(world)
        if Ability.ANSWER not in channel.capabilities.abilities:
            pytest.skip("this network has no answers, or not for us")
        published = await channel.publish(draft, key="post_1")
        answer = make_draft("Sold out", answers=published.remote_id)

        answered = await channel.publish(answer, key="post_2")

        assert answered != published
        assert len(world.texts()) == 2
        if Ability.FIND in channel.capabilities.abilities:
            assert await world.channel().find(draft) == published
            assert await world.channel().find(answer) == answered

    async def test_edits_the_text(self, world: World) -> None:
        channel, draft = world.channel(), self.draft(world)
        if Ability.EDIT not in channel.capabilities.abilities:
            pytest.skip("what is posted here stays as it is")
        published = await channel.publish(draft, key="post_1")
        over = replace(draft, text=f"SOLD OUT\n{LINK}")

        await channel.edit(published.remote_id, over)
        await channel.edit(published.remote_id, over)  # twice is as good as once

        assert [text.split("\n")[0] for text in world.texts()] == ["SOLD OUT"]

    async def test_deletes_once_and_again(self, world: World) -> None:
        channel = world.channel()
        if Ability.DELETE not in channel.capabilities.abilities:
            pytest.skip("what is posted here stays")
        published = await channel.publish(self.draft(world), key="post_1")

        await channel.delete(published.remote_id)
        await channel.delete(published.remote_id)

        assert world.texts() == []

    async def test_measures_what_is_there(self, world: World) -> None:
        channel = world.channel()
        if Ability.MEASURE not in channel.capabilities.abilities:
            assert await channel.measure(["1"]) == {}
            return
        published = await channel.publish(self.draft(world), key="post_1")

        numbers = await channel.measure([published.remote_id])

        assert list(numbers) == [published.remote_id]

    async def test_nothing_leaves_before_it_may(self, world: World) -> None:
        async def stay() -> None:
            raise _Stay

        with pytest.raises(_Stay):
            await world.channel().publish(self.draft(world), key="post_1", go=stay)

        assert world.texts() == []

    @pytest.mark.parametrize("fault", LOST)
    async def test_does_not_claim_to_know_what_became_of_a_post(
        self, world: World, fault: Fault
    ) -> None:
        world.faults.next(world.publish_call, fault)

        with pytest.raises(Unconfirmed):
            await world.channel().publish(self.draft(world), key="post_1")

        assert len(world.texts()) == (0 if fault is Fault.TIMEOUT_BEFORE else 1)

    @pytest.mark.parametrize("fault", [Fault.ERROR_BEFORE, Fault.ERROR_AFTER])
    async def test_a_failure_of_theirs_proves_nothing(
        self, world: World, fault: Fault
    ) -> None:
        world.faults.next(world.publish_call, fault)

        with pytest.raises(Unconfirmed):
            await world.channel().publish(self.draft(world), key="post_1")

    async def test_a_limited_rate_says_until_when(self, world: World) -> None:
        world.faults.next(world.publish_call, Fault.TOO_MANY)

        with pytest.raises(Limited) as caught:
            await world.channel().publish(self.draft(world), key="post_1")

        assert caught.value.after is not None
        assert timedelta() < caught.value.after <= timedelta(days=1)
        assert world.texts() == []

    async def test_who_is_not_known_is_told_to_connect_again(
        self, world: World
    ) -> None:
        with pytest.raises(Disowned) as caught:
            await world.channel(good=False).check()
        self.says_no_secret(world, caught.value)

        with pytest.raises(Disowned) as caught:
            await world.channel(good=False).publish(self.draft(world), key="post_1")
        self.says_no_secret(world, caught.value)

    async def test_a_network_that_is_down_is_tried_later(self, world: World) -> None:
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            base_url = f"http://127.0.0.1:{closed.getsockname()[1]}"
            channel = world.channel(base_url=base_url)

            with pytest.raises(TryLater) as caught:
                await channel.publish(self.draft(world), key="post_1")

        self.says_no_secret(world, caught.value)

    @pytest.mark.parametrize("fault", [*LOST, Fault.ERROR_BEFORE])
    async def test_an_unanswered_check_is_made_later(
        self, world: World, fault: Fault
    ) -> None:
        world.faults.next(world.check_call, fault)

        with pytest.raises(TryLater) as caught:
            await world.channel().check()

        self.says_no_secret(world, caught.value)

    async def test_a_text_that_is_too_long_is_refused_and_not_posted(
        self, world: World
    ) -> None:
        channel = world.channel()
        draft = self.draft(world, "word " * channel.capabilities.max_length)

        assert channel.length(draft.text) > channel.capabilities.max_length
        with pytest.raises(Rejected):
            await channel.publish(draft, key="post_1")

        assert world.texts() == []

    def says_no_secret(self, world: World, error: Exception) -> None:
        for secret in world.secrets:
            assert secret not in str(error)
