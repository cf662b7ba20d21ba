"""
A picture is made to fit, keeps its shape and loses what the camera noted.
"""

import zlib
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from outletbot.channels import Image, ImageRules, Rejected
from outletbot.channels.images import MAX_SIDE, fit_image

ORIENTATION = 0x0112
MAKER = 0x010F


def takes(max_bytes: int = 1_000_000, **rules: Any) -> ImageRules:
    return ImageRules(most=4, max_bytes=max_bytes, max_alt_length=1500, **rules)


def make_image(
    name: str = "JPEG",
    *,
    size: tuple[int, int] = (400, 300),
    mode: str = "RGB",
    colour: str | int = "red",
    **options: object,
) -> Image:
    buffer = BytesIO()
    Pillow.new(mode, size, colour).save(buffer, name, **options)
    return Image(buffer.getvalue(), f"image/{name.lower()}", "A red parka")


def make_noise(name: str, size: tuple[int, int]) -> Image:
    buffer = BytesIO()
    Pillow.effect_noise(size, 200).convert("RGB").save(buffer, name)
    return Image(buffer.getvalue(), f"image/{name.lower()}", "Noise")


def opened(image: Image) -> Pillow.Image:
    return Pillow.open(BytesIO(image.content))


@pytest.mark.parametrize(
    ("name", "content_type"),
    [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/jpeg")],
)
def test_says_what_it_made(name: str, content_type: str) -> None:
    fitted = fit_image(make_image(name), takes())

    assert fitted.content_type == content_type
    assert opened(fitted).get_format_mimetype() == content_type
    assert fitted.alt == "A red parka"


def test_scales_down_and_keeps_the_shape() -> None:
    fitted = fit_image(make_image(size=(6000, 3000)), takes())

    assert opened(fitted).size == (MAX_SIDE, MAX_SIDE // 2)


def test_never_scales_up() -> None:
    fitted = fit_image(make_image(size=(40, 30)), takes())

    assert opened(fitted).size == (40, 30)


def test_turns_upright_and_forgets_the_camera() -> None:
    exif = Pillow.Exif()
    exif[ORIENTATION] = 6
    exif[MAKER] = "Secret camera"
    image = make_image(size=(400, 300), exif=exif, comment=b"Secret owner")

    fitted = fit_image(image, takes())

    assert opened(fitted).size == (300, 400)
    assert not opened(fitted).getexif()
    assert b"Secret" not in fitted.content


def test_a_heavy_png_becomes_a_jpeg() -> None:
    image = make_noise("PNG", (800, 600))

    fitted = fit_image(image, takes(400_000))

    assert len(image.content) > 400_000 >= len(fitted.content)
    assert fitted.content_type == "image/jpeg"
    assert opened(fitted).size == (800, 600)


def test_a_heavy_jpeg_is_made_smaller() -> None:
    fitted = fit_image(make_noise("JPEG", (2000, 1500)), takes(200_000))

    assert len(fitted.content) <= 200_000
    width, height = opened(fitted).size
    assert width / height == pytest.approx(4 / 3, rel=0.01)


def test_gives_up_on_what_cannot_fit() -> None:
    with pytest.raises(Rejected, match="small enough"):
        fit_image(make_noise("JPEG", (800, 600)), takes(100))


def test_what_shows_through_becomes_white_in_a_jpeg() -> None:
    clear = make_image("WEBP", mode="RGBA", colour=0, lossless=True)

    fitted = fit_image(clear, takes())

    assert opened(fitted).getpixel((0, 0)) == (255, 255, 255)


def test_what_shows_through_stays_so_in_a_png() -> None:
    fitted = fit_image(make_image("PNG", mode="RGBA", colour=0), takes())

    assert opened(fitted).getpixel((0, 0)) == (0, 0, 0, 0)


@pytest.mark.parametrize("mode", ["L", "P", "1", "CMYK"])
def test_takes_every_kind_of_colours(mode: str) -> None:
    name = "JPEG" if mode == "CMYK" else "PNG"

    fitted = fit_image(make_image(name, mode=mode, colour=0), takes())

    assert opened(fitted).mode == "RGB"


@pytest.mark.parametrize("size", [(8000, 8000), (20000, 20000)])
def test_refuses_a_bomb_before_it_goes_off(size: tuple[int, int]) -> None:
    """Its header alone is looked at, so that a few bytes are enough to try."""
    small = make_image("PNG", mode="1", size=(8, 8), colour=0).content
    width, height = (side.to_bytes(4, "big") for side in size)
    bomb = small[:16] + width + height + small[24:]
    sealed = bomb[:29] + crc_of(bomb[12:29]) + bomb[33:]

    with pytest.raises(Rejected, match="smaller one"):
        fit_image(Image(sealed, "image/png", ""), takes())


def crc_of(chunk: bytes) -> bytes:
    return zlib.crc32(chunk).to_bytes(4, "big")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a picture",
        make_image().content[:200],
        make_image("PNG").content[:60],
        b"GIF89a" + b"\0" * 40,
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    ],
)
def test_refuses_what_is_no_picture(content: bytes) -> None:
    with pytest.raises(Rejected, match="cannot be read"):
        fit_image(Image(content, "image/jpeg", ""), takes())


def test_lays_what_is_too_tall_or_too_wide_on_white() -> None:
    rules = takes(min_shape=0.8, max_shape=1.91)

    tall = opened(fit_image(make_image(size=(100, 400)), rules))
    wide = opened(fit_image(make_image(size=(400, 100)), rules))
    fine = opened(fit_image(make_image(size=(400, 300)), rules))

    assert tall.size == (320, 400)
    assert tall.getpixel((0, 200)) == (255, 255, 255)
    assert wide.size == (400, 210)
    assert fine.size == (400, 300)


def test_a_png_becomes_a_jpeg_where_no_other_is_taken() -> None:
    fitted = fit_image(make_image("PNG"), takes(formats=("image/jpeg",)))

    assert fitted.content_type == "image/jpeg"


def test_an_alt_text_is_cut_to_what_the_network_takes() -> None:
    rules = ImageRules(most=1, max_bytes=1_000_000, max_alt_length=5)

    assert fit_image(make_image(), rules).alt == "A re…"


@given(
    size=st.tuples(st.integers(1, 400), st.integers(1, 400)),
    side=st.integers(20, 300),
)
@settings(max_examples=60, deadline=None)
def test_the_shape_is_within_its_limits_whatever_the_size(
    size: tuple[int, int], side: int
) -> None:
    rules = takes(min_shape=0.8, max_shape=1.91, max_side=side)

    width, height = opened(fit_image(make_image(size=size), rules)).size

    assert 0.8 <= width / height <= 1.91
    assert max(width, height) <= side
