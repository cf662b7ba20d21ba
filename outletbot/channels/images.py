"""Images: a retailer's picture made fit for a network.

A picture is always written anew: turned upright, scaled down to what a network shows
anyway, and without what the camera noted (place, owner, device). A file that would
unpack to more than ``MAX_PIXELS`` is refused before it is unpacked.
"""

from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO

from PIL import Image as Pillow
from PIL import ImageOps

from outletbot.channels import Capabilities, Image, Rejected

MAX_PIXELS = 50_000_000
MAX_SIDE = 2048
_FORMATS = ("JPEG", "PNG", "WEBP")
_QUALITIES = (88, 75, 60, 40)


def fit_image(image: Image, capabilities: Capabilities) -> Image:
    """Return *image* as the network takes it: a PNG if it was one, else a JPEG.

    A picture that would be too heavy becomes a JPEG, and a smaller one if need be.
    Calls for a thread: a large picture takes a good part of a second.

    Raises:
        Rejected: If it is no JPEG, PNG or WebP, is damaged, or is too large to open.
    """
    picture = _open(image.content)
    for side in (MAX_SIDE, MAX_SIDE // 2, MAX_SIDE // 4):
        picture.thumbnail((side, side))
        for content_type, content in _encodings(picture, keep_png=_is_png(image)):
            if len(content) <= capabilities.max_image_bytes:
                return replace(image, content=content, content_type=content_type)
    msg = "The picture cannot be made small enough for this network."
    raise Rejected(msg)


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
