"""
Mastodon's length of a text is never underrated, and links are found whole.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outletbot.channels.mastodon_text import links_of, text_length

LINK = "https://outlet.example.com/d/k7Qx2mZp9LwT"


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("Parka, half price", 17),
        (LINK, 23),
        ("http://a.fr", 23),
        ("http://a.fr:8080/x?y=1&z=2#top", 23),
        (f"Parka {LINK}", 29),
        (f"Parka\n\n{LINK}\n", 31),
        (f"({LINK})", 25),
        (f"{LINK}.", 24),
        (f"{LINK}, {LINK}", 48),
        ("https://a.fr,https://b.fr", 47),
        ("https://a.fr.", 24),
        ("https://a.fr/été", 26),  # the accents are left to be counted
        (f"x{LINK}", 1 + len(LINK)),  # no address, since a letter is before it
        ("https://shop.test/d/" + "a" * 40, 60),  # no such domain: counted whole
        ("http://localhost:8080/d/ab", 26),
        ("http://localhost", 23),
        ("@outlet", 7),
        ("@outlet@social.example", 7),
        ("thanks @outlet@social.example!", 15),
        ("me@shop.example.com", 19),
        ("é@outlet@social.example", 23),
        ("@a@b.example@c", 14),
        ("👩‍👩‍👧‍👦 ⚡️", 3),
    ],
)
def test_counts_as_mastodon_does(text: str, length: int) -> None:
    assert text_length(text) == length


def test_an_instance_may_count_addresses_otherwise() -> None:
    assert text_length(f"a {LINK}", url_length=30) == 32


@given(st.lists(st.sampled_from([LINK, "Parka", "été", "-20 %", "\n"])))
def test_words_add_up(words: list[str]) -> None:
    text = " ".join(words)

    expected = sum(23 if word == LINK else len(word) for word in words)
    assert text_length(text) == expected + max(0, len(words) - 1)


@pytest.mark.parametrize(
    "content",
    [
        f'<p>Parka <a href="{LINK}" rel="nofollow">look</a></p>',
        # As Mastodon writes it.
        (
            '<p><a href="https://outlet.example.com/d/k7Qx2mZp9LwT"><span '
            'class="invisible">https://</span><span class="ellipsis">outlet.example'
            '</span><span class="invisible">.com/d/k7Qx2mZp9LwT</span></a></p>'
        ),
        # Left unlinked, between words and marks.
        f"<p>Parka<br>{LINK}.</p>",
        f"<p>Parka</p><p>{LINK}</p><p>while it lasts</p>",
    ],
)
def test_finds_a_link(content: str) -> None:
    assert LINK in links_of(content)


@pytest.mark.parametrize(
    "content",
    [
        f'<a href="{LINK}2">{LINK}2</a>',
        f'<a href="{LINK}/more">x</a>',
        f'<a href="https://else.example/?to={LINK}">x</a>',
        f"<p>{LINK}</p>".replace("/d/", "/D/"),
        "<p>nothing</p>",
        "",
    ],
)
def test_does_not_take_another_link_for_it(content: str) -> None:
    assert LINK not in links_of(content)


def test_reads_an_escaped_query() -> None:
    content = '<a href="https://a.example/d?x=1&amp;y=2">x</a>'

    assert links_of(content) == {"https://a.example/d?x=1&y=2"}
