"""
The same picture is made to fit once, for all the networks to which it comes out alike.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO
from threading import Barrier
from typing import Any

import pytest
from PIL import Image as Pillow

from outletbot.channels import Image, ImageRules, Rejected
from outletbot.channels.fitted import Fitted, kept

RULES = ImageRules(most=4, max_bytes=1_000, max_alt_length=10)


def picture(size: tuple[int, int] = (40, 30), name: str = "JPEG") -> Image:
    buffer = BytesIO()
    Pillow.new("RGB", size, "red").save(buffer, name)
    return Image(buffer.getvalue(), f"image/{name.lower()}", "A parka")


class Counting:
    """A fit that keeps what it was asked; *weights* says how heavy each comes out."""

    def __init__(self, *weights: int) -> None:
        self.asked: list[ImageRules] = []
        self._weights = list(weights)

    def __call__(self, image: Image, rules: ImageRules) -> Image:
        self.asked.append(rules)
        weight = self._weights.pop(0) if self._weights else 100
        return replace(image, content=bytes(weight), content_type="image/jpeg")


@pytest.mark.parametrize(
    "other",
    [
        {"max_side": 1_440},
        {"max_bytes": 500},
        {"most": 1, "max_alt_length": 5},
        {"min_shape": 0.5, "max_shape": 2.0},
        {"formats": ("image/jpeg",)},
    ],
)
def test_rules_that_make_no_difference_are_one(other: Any) -> None:
    count = Counting()
    fit = kept(count)

    first, second = fit(picture(), RULES), fit(picture(), replace(RULES, **other))

    assert len(count.asked) == 1
    assert first.content == second.content


@pytest.mark.parametrize(
    "other", [{"max_side": 20}, {"min_shape": 0.9}, {"max_shape": 1.2}]
)
def test_rules_that_make_one_are_not(other: Any) -> None:
    count = Counting()
    fit = kept(count)

    fit(picture(), RULES)
    fit(picture(), replace(RULES, **other))

    assert len(count.asked) == 2


def test_a_png_stays_one_only_where_it_may() -> None:
    count = Counting()
    fit = kept(count)

    fit(picture(name="PNG"), RULES)
    fit(picture(name="PNG"), replace(RULES, formats=("image/jpeg",)))

    assert [rules.formats for rules in count.asked] == [("image/png",), ()]


def test_what_is_too_heavy_is_made_lighter_by_the_very_rules() -> None:
    count = Counting(2_000, 900)
    fit = kept(count)

    fitted = [fit(picture(), RULES) for _ in range(3)]

    assert [len(one.content) for one in fitted] == [900] * 3
    assert count.asked[-1].max_bytes == RULES.max_bytes
    assert len(count.asked) == 2


def test_each_has_its_own_words() -> None:
    fit = kept(Counting())
    one = replace(picture(), address="https://outlet.example/1.jpg")

    assert fit(one, RULES).alt == "A parka"
    assert fit(one, replace(RULES, max_alt_length=4)).alt == "A p…"
    assert fit(replace(one, alt="Blue"), RULES).alt == "Blue"
    assert fit(one, RULES).address == one.address


def test_what_cannot_be_fitted_is_refused_again() -> None:
    def refuse(_image: Image, _rules: ImageRules) -> Image:
        msg = "It is damaged."
        raise Rejected(msg)

    fit = kept(refuse)

    for _ in range(2):
        with pytest.raises(Rejected, match="damaged"):
            fit(Image(b"no picture", "image/jpeg", ""), RULES)


def test_no_more_is_kept_than_there_is_room_for() -> None:
    count = Counting()
    fit = kept(count, Fitted(room=250))
    sizes = [(40, 30), (41, 30), (42, 30), (41, 30), (40, 30)]

    for size in sizes:
        fit(picture(size), RULES)

    assert len(count.asked) == 4


def test_who_asks_meanwhile_waits_for_the_same() -> None:
    count, barrier = Counting(), Barrier(4, timeout=10)
    fit = kept(count)

    def ask() -> Image:
        barrier.wait()
        return fit(picture(), RULES)

    with ThreadPoolExecutor(4) as threads:
        found = [one.result() for one in [threads.submit(ask) for _ in range(4)]]

    assert len(count.asked) == 1
    assert len({one.content for one in found}) == 1
