"""
How long a text is on X, held against twitter-text, X's own counter for JavaScript.

It is installed once by npm into ``var/servers/twitter-text``.
"""

import fcntl
import json
import os
import random
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn, TypeAlias

import pytest

from outletbot.channels.x_emoji import COUNTRIES
from outletbot.channels.x_text import _ENDINGS, text_length
from outletbot.sandbox.x_rules import weighted_length
from tests.outletbot.channels.contract import LINK

FOLDER = Path(__file__).parents[3] / "var/servers/twitter-text"
PACKAGE = "twitter-text@3.1.0"
REQUIRED = "OUTLETBOT_REQUIRE_REAL" in os.environ  # noqa: TID251 - tests have no settings
QUIETLY = ("--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1")
COUNT = """
const {parseTweet} = require('twitter-text')
const texts = JSON.parse(require('fs').readFileSync(0, 'utf8'))
console.log(JSON.stringify(texts.map(text => parseTweet(text).weightedLength)))
"""


def pieces(*lines: str) -> list[str]:
    return [piece for line in lines for piece in line.split()]


# What deals are made of: words, prices, and what people put into titles.
WORDS = pieces(
    "Parka Boots half price statt € 49,90 \u2013 „nur heute“ (50 %) 1,5 kg, Größe M/L",
    "ลดราคา Nr. 5 z.B. #sale @shop now 30% off! “today only” it\u2019s gone… 5° ñ Ø",
    "売り切れ 本日限り распродажа σήμερα عرض 할인 ™ © → • ★ ✓ ❤ 🔥 🛒 ⏰",
    "👍🏽 👩‍💻 👨‍👩‍👧‍👦 🏳️‍🌈 🏃🏽‍♀️ 🇩🇪 🇬🇧 ❤️ ✂️ ☀️ 🎉 ⚡ 🚚",
)
# What only a malicious or careless hand would write.
ODD = pieces(
    "shop.de www.example.com St.Pauli end.Start foo@example.com #example.com",
    "магазин.рф e\u0301 1️⃣ 2️⃣3️⃣ 🧑‍💻 🇽🇽 😀‍😀 ❤︎ https://ж.рф https://例え.jp/あ",
    "http://localhost:8080/d/abc http://127.0.0.1:8080/d/abcdefgh https://-a.com",
    "https://outlet.example.museum/d/k7Qx2mZp9LwT https://t.co/abc 🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "https://a.com/x?y=1&z=2#frag https://shop.co.uk/p(1) https://a.com,b.com",
    "xhttps://a.com/b foo.com/bar/baz-long-path-that-goes-on a.com.b",
    "a.com売b.com 売れexample.com https://a_b.example.com/ a.xn--abc.b",
    "shop.comédie foo.xyz:8080/a https://a.museum.xx1 a.museum.xx",
    LINK,
)
GLUE = ["", " ", " ", " ", "\n", ". ", "(", ")", "-", "/", ".", ",", "_", ":", "→"]

Count: TypeAlias = Callable[[Sequence[str]], list[int]]


@pytest.fixture(scope="module")
def count() -> Count:
    """Return X's own counter."""
    install()

    def run(texts: Sequence[str]) -> list[int]:
        counted = subprocess.run(  # noqa: S603 - our own script
            ["node", "-e", COUNT],  # noqa: S607 - whichever node there is
            cwd=FOLDER,
            input=json.dumps(texts),
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return json.loads(counted.stdout)

    return run


def install() -> None:
    """Install the counter unless somebody has; skip where that is not possible."""
    for tool in ("node", "npm"):
        if shutil.which(tool) is None:
            give_up(f"{tool} is not here, and X's counter is written for it")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with FOLDER.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (FOLDER / "installed").exists():
            return
        npm = subprocess.run(  # noqa: S603 - the package is named above
            ["npm", "install", "--prefix", ".", *QUIETLY, PACKAGE],  # noqa: S607 - whichever npm there is
            cwd=FOLDER,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        if npm.returncode:
            give_up(f"npm cannot install {PACKAGE}: {npm.stderr.strip()[-200:]}")
        (FOLDER / "installed").touch()


def give_up(why: str) -> NoReturn:
    if REQUIRED:
        pytest.fail(why)
    pytest.skip(why)


def seeded(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - the same every time


def compose(chance: random.Random) -> str:
    """Make a text such as we post: words, and our link in a line of its own."""
    words = [chance.choice(WORDS) for _ in range(chance.randint(1, 30))]
    return f"{' '.join(words)}\n{LINK}"


def scramble(chance: random.Random) -> str:
    pieces = chance.choices([*WORDS, *ODD], k=chance.randint(1, 12))
    return "".join(piece + chance.choice(GLUE) for piece in pieces)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", 0),
        ("Parka", 5),
        ("e\u0301", 1),
        ("…", 2),
        ("“Sale” \u2013 it\u2019s now", 17),
        ("売り切れ", 8),
        ("🔥", 2),
        ("👩‍💻👨‍👩‍👧‍👦🏳️‍🌈🏃🏽‍♀️🇩🇪👍🏽❤️", 14),
        ("1️⃣2️⃣", 4),
        (LINK, 23),
        ("https://a.de", 23),
        ("See shop.de (www.example.com/sale)", 4 + 23 + 2 + 23 + 1),
        (f"Parka\n{LINK}", 29),
        ("http://127.0.0.1:8080/d/abc", 27),
        ("jan@example.com", 15),
        ("1.5 kg, z.B. Nr.5", 17),
    ],
)
def test_counts_as_documented(text: str, length: int) -> None:
    assert text_length(text) == length


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("St.Pauli", 23),  # it may be an address, for all we know
        ("www.shop.museum", 30),
        ("https://t.co/abc", 27),
        ("https://магазин.рф", 23 + 18),
        ("éa.museum", 24),
    ],
)
def test_what_is_in_doubt_counts_as_the_longer(text: str, length: int) -> None:
    assert text_length(text) == length


@pytest.mark.real
class TestAgainstTwitterText:
    def test_what_we_compose_is_as_long(self, count: Count) -> None:
        chance = seeded(280)
        texts = [compose(chance) for _ in range(4000)]

        lengths = [text_length(text) for text in texts]

        assert lengths == count(texts)

    def test_nothing_is_longer_there(self, count: Count) -> None:
        chance = seeded(23)
        texts = [scramble(chance) for _ in range(4000)]

        longer = [
            text
            for text, theirs in zip(texts, count(texts), strict=True)
            if theirs > text_length(text)
        ]

        assert longer == []

    def test_every_letter_weighs_the_same(self, count: Count) -> None:
        points = [
            point
            for point in range(0x21, 0x1FB00)
            if not 0xD800 <= point < 0xE000 and not 0x3400 <= point < 0x9FFF
        ]
        texts = [f"a {chr(point)} a" for point in points]

        different = [
            text
            for text, theirs in zip(texts, count(texts), strict=True)
            if theirs != text_length(text)
        ]

        assert different == []

    def test_the_endings_are_known_there(self, count: Count) -> None:
        endings = [*_ENDINGS.split("|"), *COUNTRIES.split("|")]
        texts = [f"https://outlet.example.{one}/d/{'x' * 30}" for one in endings]

        assert count(texts) == [23] * len(texts)

    def test_the_sandbox_is_no_laxer_with_what_we_compose(self, count: Count) -> None:
        chance = seeded(7)
        texts = [compose(chance) for _ in range(1000)]

        assert [weighted_length(text) for text in texts] == count(texts)
