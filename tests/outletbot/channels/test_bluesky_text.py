"""
What can be clicked in a text is cut out of its bytes exactly, whatever is around it.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outletbot.channels.bluesky_text import facets_of, links_of, text_length
from tests.outletbot.channels.contract import LINK

TEXTS = st.text(max_size=40)
WORDS = st.sampled_from(
    [
        LINK,
        f"{LINK}x",
        "https://example.com/a_(b)",
        "http://münchen.example/",
        "#été",
        "#30",
        "#été30",
        "#👗",
        "##",
        "(",
        ")",
        ".",
        " ",
        "\n",
        "👩‍👩‍👧‍👦",
        "e\u0301",
        "日本語",
    ]
)


def cut(text: str, link: str = LINK) -> list[tuple[str, str]]:
    """Return what each facet cuts out of the bytes, and what it stands for."""
    return [
        (
            text.encode()[
                facet["index"]["byteStart"] : facet["index"]["byteEnd"]
            ].decode(),
            feature.get("uri") or f"#{feature['tag']}",
        )
        for facet in facets_of(text, link)
        for feature in facet["features"]
    ]


@pytest.mark.parametrize(
    ("text", "cuts"),
    [
        ("", []),
        (LINK, [LINK]),
        (f"Été à -50 % 👗 {LINK}", [LINK]),
        (f"({LINK})", [LINK]),
        (f"{LINK}. Now!", [LINK]),
        (f"{LINK}?", [LINK]),
        (f"{LINK}。次", [LINK]),
        (f"{LINK}\n{LINK}", [LINK, LINK]),
        (f"{LINK}_2", [f"{LINK}_2"]),
        (f"{LINK}?a=1", [f"{LINK}?a=1"]),
        ("see https://example.com/a_(b).", ["https://example.com/a_(b)"]),
        ("(see https://example.com/a)", ["https://example.com/a"]),
        ("(see https://example.com/a).", ["https://example.com/a"]),
        ("https://example.com/#top", ["https://example.com/#top"]),
        ("xhttps://example.com", []),
        ("https://", []),
        ("ftp://example.com www.example.com", []),
        ("#sale #été", ["#sale", "#été"]),
        ("#sale, #deal!", ["#sale", "#deal"]),
        ("#नमस्ते", ["#नमस्ते"]),
        ("#👗", ["#👗"]),
        ("#sold_out-", ["#sold_out"]),
        ("a#sale (#sale) ##", []),
        ("#1 #50 #²", []),
        ("#50off", ["#50off"]),
        ("#️⃣ #", []),
        ("#" + "x" * 64, ["#" + "x" * 64]),
        ("#" + "x" * 65, []),
        ("#" + "x" + "\u0301" * 400, []),
        (f"#{LINK}", [LINK]),
    ],
)
def test_what_can_be_clicked(text: str, cuts: list[str]) -> None:
    assert cut(text) == [(one, one) for one in cuts]


@given(TEXTS, TEXTS)
def test_the_link_is_cut_out_of_any_text(before: str, after: str) -> None:
    text = f"{before}\n{LINK}\n{after}"

    assert (LINK, LINK) in cut(text)


@given(st.lists(WORDS | TEXTS).map("".join))
def test_every_facet_cuts_out_what_it_stands_for(text: str) -> None:
    facets = facets_of(text, LINK)
    bounds = [
        bound
        for facet in facets
        for bound in (facet["index"]["byteStart"], facet["index"]["byteEnd"])
    ]

    assert all(there == meant for there, meant in cut(text))
    assert bounds == sorted(bounds)
    assert len(set(bounds)) >= len(facets) + 1 or not facets


@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "Zs"]), min_size=1))
def test_any_link_is_found_whatever_is_in_it(path: str) -> None:
    link = "https://outlet.example/" + "".join(path.split())

    assert (link, link) in cut(f"Now: {link}\n#sale", link)


def test_without_a_link_the_others_are_found() -> None:
    assert cut("https://example.com/a #b", "") == [
        ("https://example.com/a", "https://example.com/a"),
        ("#b", "#b"),
    ]


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", 0),
        ("Parka", 5),
        ("é" * 300, 300),
        ("👗" * 300, 300),
        ("a\u200e\u0301b", 4),  # nothing joins a mark of direction
        ("👨‍👩‍👧‍👦", 3),  # one to its readers, but 25 bytes
        ("👨‍👩‍👧‍👦" * 120, 300),
        ("👨‍👩‍👧‍👦" * 121, 303),
    ],
)
def test_counts_graphemes_or_tenths_of_bytes(text: str, length: int) -> None:
    assert text_length(text) == length


@given(TEXTS)
def test_what_fits_has_not_too_many_bytes(text: str) -> None:
    assert len(text.encode()) <= 10 * text_length(text)


def test_links_of_a_record() -> None:
    record = {
        "facets": facets_of(f"{LINK} #tag https://example.com", LINK),
        "embed": {"external": {"uri": "https://example.org"}},
    }

    assert links_of(record) == {LINK, "https://example.com", "https://example.org"}
    assert links_of(None) == set()
