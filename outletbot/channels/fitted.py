"""Fitted: pictures that were made to fit a network, kept for a while.

Making one fit takes some hundredths of a second and more, and a deal goes to many
networks at one instant. Most take the same: a picture that is small enough and of the
right shape is one and the same for all of them.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from functools import wraps
from io import BytesIO
from threading import Lock

from PIL import Image as Pillow

from outletbot.channels import Image, ImageRules

ROOM = 32 * 1024 * 1024
"""Bytes of pictures that are kept; the one that nobody wanted for longest goes."""

PNG = "image/png"
FORMATS = ("JPEG", "PNG", "WEBP")

Fit = Callable[[Image, ImageRules], Image]
Key = tuple[bytes, ImageRules]

_ANYTHING = ImageRules(most=1, max_bytes=2**63, max_alt_length=0, formats=())


class Fitted:
    """Up to *room* bytes of pictures; who wants one that is being made waits for it."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._lock = Lock()
        self._kept: OrderedDict[Key, Image] = OrderedDict()
        self._making: dict[Key, Future[Image]] = {}
        self._size = 0

    def get(self, key: Key, make: Callable[[], Image]) -> Image:
        """Return what is kept for *key*, or else what *make* returns, and keep it."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
            others = self._making.get(key)
            making = self._making.setdefault(key, Future())
        if others is None:
            self._make(key, making, make)
        return making.result()

    def _make(self, key: Key, making: Future[Image], make: Callable[[], Image]) -> None:
        try:
            image = make()
        except BaseException as error:  # noqa: BLE001  (whoever waits is told)
            self._settle(key, None)
            making.set_exception(error)
        else:
            self._settle(key, image)
            making.set_result(image)

    def _settle(self, key: Key, image: Image | None) -> None:
        with self._lock:
            del self._making[key]
            if image is None:
                return
            self._kept[key] = image
            self._size += len(image.content)
            while self._size > self._room:
                _, oldest = self._kept.popitem(last=False)
                self._size -= len(oldest.content)


def kept(fit: Fit, fitted: Fitted | None = None) -> Fit:
    """Let *fit* make a picture once only that comes out the same for other rules."""
    fitted = fitted or Fitted()

    @wraps(fit)
    def find(image: Image, rules: ImageRules) -> Image:
        digest = hashlib.sha256(image.content).digest()
        bare = replace(image, alt="", address="")
        heavy = _what_matters(image.content, rules)
        found = fitted.get((digest, heavy), lambda: fit(bare, heavy))
        if len(found.content) > rules.max_bytes:
            exact = replace(rules, most=1, least=0, max_alt_length=0, by_address=False)
            found = fitted.get((digest, exact), lambda: fit(bare, exact))
        content_type, alt = found.content_type, _cut(image.alt, rules.max_alt_length)
        return replace(image, content=found.content, content_type=content_type, alt=alt)

    return find


def _cut(alt: str, longest: int) -> str:
    return alt if len(alt) <= longest else alt[: longest - 1].rstrip() + "…"


def _what_matters(content: bytes, rules: ImageRules) -> ImageRules:
    """Return what of *rules* makes a difference to a picture, whatever it may weigh."""
    formats = (PNG,) if PNG in rules.formats and content.startswith(b"\x89PNG") else ()
    exact = replace(
        _ANYTHING,
        formats=formats,
        max_side=rules.max_side,
        min_shape=rules.min_shape,
        max_shape=rules.max_shape,
    )
    size = _size_of(content)
    if size is None or max(size) > rules.max_side:
        return exact
    # The camera may have been held upright, so either side may be the long one.
    narrow = rules.min_shape and min(size) / max(size) < rules.min_shape
    wide = rules.max_shape and max(size) / min(size) > rules.max_shape
    return exact if narrow or wide else replace(_ANYTHING, formats=formats)


def _size_of(content: bytes) -> tuple[int, int] | None:
    """Return how large a picture says it is; None if it cannot be opened."""
    try:
        with Pillow.open(BytesIO(content), formats=FORMATS) as picture:
            return picture.size
    except (Pillow.DecompressionBombError, Pillow.DecompressionBombWarning):
        return None
    except (OSError, SyntaxError, ValueError):
        return None
