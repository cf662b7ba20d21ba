"""Images: a retailer's picture made fit for a network.

A picture is always written anew: turned upright, scaled down to what a network shows
anyway, and without what the camera noted (place, owner, device). A file that would
unpack to more than ``MAX_PIXELS`` is refused before it is unpacked.
"""

from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from math import ceil

from PIL import Image as Pillow
from PIL import ImageOps

from outletbot.channels import Image, ImageRules, Rejected
from outletbot.channels.fitted import kept

MAX_PIXELS = 50_000_000
MAX_SIDE = 2048  # of what is unpacked; a network may want less
_FORMATS = ("JPEG", "PNG", "WEBP")
_QUALITIES = (88, 75, 60, 40)


@kept
def fit_image(image: Image, rules: ImageRules) -> Image:
    """Return *image* as the network takes it: a JPEG, or a PNG if it was one.

    A picture that would be too heavy becomes a JPEG, and a smaller one if need be; one
    that is too wide or too tall gets white margins, so that nothing is cut off. An alt
    text that is too long ends in an ellipsis.
    Calls for a thread: a large picture takes a good part of a second.

    Raises:
        Rejected: If it is no JPEG, PNG or WebP, is damaged, or is too large to open.
    """
    picture = _open(image.content)
    keep_png = _is_png(image) and "image/png" in rules.formats
    for side in (rules.max_side, rules.max_side // 2, rules.max_side // 4):
        picture.thumbnail((side, side))
        shaped = _shaped(picture, rules)  # last, since what is scaled is rounded
        for content_type, content in _encodings(shaped, keep_png=keep_png):
            if len(content) <= rules.max_bytes:
                alt = _cut(image.alt, rules.max_alt_length)
                return replace(
                    image, content=content, content_type=content_type, alt=alt
                )
    msg = "The picture cannot be made small enough for this network."
    raise Rejected(msg)


def _shaped(picture: Pillow.Image, rules: ImageRules) -> Pillow.Image:
    """Lay a picture on white of the nearest shape that the network shows."""
    width, height = picture.size
    if rules.min_shape and width / height < rules.min_shape:
        size = (ceil(height * rules.min_shape), height)
    elif rules.max_shape and width / height > rules.max_shape:
        size = (width, ceil(width / rules.max_shape))
    else:
        return picture
    return ImageOps.pad(_on_white(picture), size, color="white")


def _cut(alt: str, longest: int) -> str:
    return alt if len(alt) <= longest else alt[: longest - 1].rstrip() + "…"


def _open(content: bytes) -> Pillow.Image:
    try:
        with Pillow.open(BytesIO(content), formats=_FORMATS) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise Rejected(_too_large(picture.width, picture.height))
            picture.draft("RGB", (MAX_SIDE, MAX_SIDE))
            return _upright(picture)
    except (Pillow.DecompressionBombError, Pillow.DecompressionBombWarning) as error:
        msg = "The picture is too large to open. Please upload a smaller one."
        raise Rejected(msg) from error
    except (OSError, SyntaxError, ValueError) as error:
        msg = "The picture cannot be read. Please upload it again as JPEG or PNG."
        raise Rejected(msg) from error


def _upright(picture: Pillow.Image) -> Pillow.Image:
    """Unpack *picture*, turned as the camera was held, in plain colours."""
    transparent = picture.has_transparency_data
    upright = ImageOps.exif_transpose(picture)
    return upright.convert("RGBA" if transparent else "RGB")


def _encodings(picture: Pillow.Image, *, keep_png: bool) -> Iterator[tuple[str, bytes]]:
    if keep_png:
        yield "image/png", _save(picture, "PNG", optimize=True)
    flat = _on_white(picture)
    for quality in _QUALITIES:
        yield "image/jpeg", _save(flat, "JPEG", quality=quality, progressive=True)


def _save(picture: Pillow.Image, name: str, **options: int) -> bytes:
    bare = picture.copy()
    bare.info = {}  # what the camera noted would be written along
    buffer = BytesIO()
    bare.save(buffer, name, **options)
    return buffer.getvalue()


def _on_white(picture: Pillow.Image) -> Pillow.Image:
    """JPEG knows no transparency, and black is what it would become."""
    if picture.mode != "RGBA":
        return picture
    white = Pillow.new("RGBA", picture.size, "white")
    return Pillow.alpha_composite(white, picture).convert("RGB")


def _is_png(image: Image) -> bool:
    return image.content.startswith(b"\x89PNG")


def _too_large(width: int, height: int) -> str:
    return (
        f"The picture is {width} by {height} pixels, more than can be opened here."
        " Please upload a smaller one."
    )
