"""Pictures of goods as merchants send them: written anew, small and upright.

What the camera noted (place, owner, device) is not kept, and a file that would unpack
to more than ``MAX_PIXELS`` is refused before it is unpacked.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageOps, UnidentifiedImageError

from offers.errors import InvalidField
from offers.sentences import Sentence

MAX_BYTES = 15 * 1024 * 1024
MAX_PIXELS = 50_000_000
SIDE = 1_200
WEIGHT = 200_000
FORMATS = ("JPEG", "PNG", "WEBP")
QUALITIES = (85, 75, 60, 45)

FIELD = "picture"
NO_PICTURE = Sentence("This is no picture that can be read. Send a JPEG, PNG or WebP.")
TOO_LARGE = Sentence("This picture is too large to open. Send a smaller one.")


@dataclass(frozen=True, slots=True)
class Jpeg:
    content: bytes
    size: tuple[int, int]


def make_jpeg(content: bytes) -> Jpeg:
    """Return a picture as a JPEG within 1,200 pixels and 200 kB.

    Calls for a thread: a large picture takes a good part of a second.

    Raises:
        InvalidField: If it is no JPEG, PNG or WebP, is damaged, or is too large.
    """
    if len(content) > MAX_BYTES:
        raise InvalidField(FIELD, TOO_LARGE)
    picture = _open(content)
    for side in (SIDE, SIDE * 2 // 3, SIDE // 3):
        picture.thumbnail((side, side))
        for encoded in _encodings(picture):
            if len(encoded) <= WEIGHT:
                return Jpeg(encoded, picture.size)
    raise InvalidField(FIELD, TOO_LARGE)


def _open(content: bytes) -> Image.Image:
    try:
        with Image.open(BytesIO(content), formats=FORMATS) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise InvalidField(FIELD, TOO_LARGE)
            picture.draft("RGB", (SIDE * 2, SIDE * 2))
            return _on_white(ImageOps.exif_transpose(picture))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InvalidField(FIELD, TOO_LARGE) from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise InvalidField(FIELD, NO_PICTURE) from error


def _on_white(picture: Image.Image) -> Image.Image:
    """JPEG knows no transparency, and black is what it would become."""
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    seen = picture.convert("RGBA")
    white = Image.new("RGBA", seen.size, "white")
    return Image.alpha_composite(white, seen).convert("RGB")


def _encodings(picture: Image.Image) -> Iterator[bytes]:
    bare = picture.copy()
    bare.info = {}  # what the camera noted would be written along
    for quality in QUALITIES:
        buffer = BytesIO()
        bare.save(buffer, "JPEG", quality=quality, progressive=True, optimize=True)
        yield buffer.getvalue()
