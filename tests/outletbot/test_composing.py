"""
A deal is told in the retailer's language and words, in as much room as its network has:
the price and the link always, nothing false, and never half a word.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import pytest
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st

from offers.deals import Deal
from offers.money import Money
from offers.posts import PostKind
from offers.prices import Reduction
from offers.retailers import Retailer
from offers.templates import ANNOUNCEMENT, PostTemplate, check_body
from outletbot.channels import Capabilities, ImageRules, Rejected
from outletbot.channels.graphemes import count_graphemes
from outletbot.channels.mastodon_text import text_length
from outletbot.channels.outlet import OutletPage
from outletbot.composing import Occasion, builtin_body, compose, compose_over
from outletbot.languages import FOLDER, LANGUAGES
from tests.factories import HOUR, MINUTE, NOON
from tests.fakes import FakeChannel

LINK = "https://outlet.example.com/d/01kjq6psg0emvac1hpewd7h0x7"
OUTLET = "https://outlet.example.com/o/north"
PITCH = "The old buckle. It works. It has to go today. 👩‍👩‍👧‍👦"
PRICE = "€49.99"


def channel_of(length: int, **facts: object) -> FakeChannel:
    channel = FakeChannel()
    channel.capabilities = replace(channel.capabilities, max_length=length, **facts)  # type: ignore[arg-type]  # as the fields are
    return channel


INSTAGRAM = Capabilities(
    max_length=2_200,
    images=ImageRules(most=10, least=1, max_bytes=8_000_000, max_alt_length=1_000),
    links_work=False,
)


def instagram() -> FakeChannel:
    return FakeChannel(name="instagram", capabilities=INSTAGRAM)


@pytest.fixture
def retailer() -> Retailer:
    return make_retailer(hashtags="outlet #lastchance")


@pytest.fixture
def deal() -> Deal:
    return make_deal("Fjord parka, rust, M", PITCH)


def make_retailer(**facts: object) -> Retailer:
    named = {"id": "retailer_1", "slug": "north", "name": "North", "country": "IE"}
    known = {"currency": "eur", "time_zone": "Europe/Dublin", "created_at": NOON}
    return Retailer(**{**named, **known, **facts})


def make_deal(title: str, pitch: str = "", **facts: object) -> Deal:
    named = {"id": "deal_1", "retailer_id": "retailer_1", "offer_id": "offer_1"}
    known = {"price_amount": 4_999, "currency": "eur", "allotment": 10}
    times = {"opens_at": NOON - HOUR, "closes_at": NOON + HOUR, "created_at": NOON}
    return Deal(title=title, pitch=pitch, **{**named, **known, **times, **facts})


def worded(body: str, *, kind: str = ANNOUNCEMENT, network: str = "") -> PostTemplate:
    return PostTemplate(
        id="template_1",
        retailer_id="retailer_1",
        language="en",
        kind=kind,
        network=network,
        body=check_body(kind, body),
        changed_at=NOON,
    )


def tell(
    deal: Deal,
    retailer: Retailer,
    length: int = 500,
    *,
    kind: PostKind = PostKind.ANNOUNCEMENT,
    reduction: Reduction | None = None,
    template: PostTemplate | None = None,
    channel: FakeChannel | OutletPage | None = None,
    pictured: bool = False,
) -> str:
    occasion = Occasion(kind, deal, retailer, reduction, LINK, OUTLET)
    channel = channel or channel_of(length)
    return compose(occasion, template, channel, pictured=pictured)


def lines_of(*args: object, **more: object) -> list[str]:
    return tell(*args, **more).split("\n")  # type: ignore[arg-type]  # passed on


class TestOurSentences:
    def test_say_it_all_where_there_is_room(self, deal, retailer) -> None:
        assert lines_of(deal, retailer) == [
            "Fjord parka, rust, M",
            PRICE,
            "10 available, until Mon 2 Mar, 13:00 (Dublin)",
            PITCH,
            "#outlet #lastchance",
            LINK,
        ]

    def test_speak_the_retailers_language_and_time(self, deal, retailer) -> None:
        retailer.language, retailer.time_zone = "fr", "Europe/Paris"

        lines = lines_of(deal, retailer)

        assert lines[1] == "49,99\xa0€"
        assert lines[2].endswith("lun.\xa02\xa0mars à\xa014:00 (Paris)")

    def test_give_a_percentage_with_its_evidence(self, deal, retailer) -> None:
        reduction = Reduction(Money(9_900, "eur"), deal.price)

        price = lines_of(deal, retailer, reduction=reduction)[1]

        assert price == "€49.99 (-49%, lowest price of the last 30 days: €99.00)"

    def test_write_a_percentage_as_the_language_does(self, deal, retailer) -> None:
        retailer.language = "fr"
        reduction = Reduction(Money(9_900, "eur"), deal.price)

        price = lines_of(deal, retailer, reduction=reduction)[1]

        assert price.startswith("49,99\xa0€ (-49\xa0%, prix le plus bas des 30")

    def test_give_none_that_rounds_to_nothing(self, deal, retailer) -> None:
        reduction = Reduction(Money(5_000, "eur"), deal.price)

        assert lines_of(deal, retailer, reduction=reduction)[1] == PRICE

    def test_offer_no_units_that_the_stock_no_longer_has(self, deal, retailer) -> None:
        deal.withheld = 7

        assert "3 available" in tell(deal, retailer)

    @pytest.mark.parametrize(
        ("kind", "title", "facts"),
        [
            (PostKind.HALF_GONE, "Half gone: Fjord parka, rust, M", "5 of 10 left,"),
            (PostKind.LAST_UNITS, "Last units: Fjord parka, rust, M", "Only 5 left,"),
            (PostKind.ENDING, "Ending soon: Fjord parka, rust, M", "5 left, until"),
        ],
    )
    def test_tell_how_it_goes(self, deal, retailer, kind, title, facts) -> None:
        """What is held may come back: it is not gone."""
        deal.sold, deal.held = 5, 1

        lines = lines_of(deal, retailer, kind=kind)

        assert lines[:2] == [title, PRICE]
        assert lines[2].startswith(facts)
        assert lines[-1] == LINK

    def test_tell_the_end_and_what_comes_next(self, deal, retailer) -> None:
        deal.sold_out_at = deal.opens_at + 7 * MINUTE

        lines = lines_of(deal, retailer, kind=PostKind.OVER)

        assert lines == [
            "SOLD OUT after 7 min · Fjord parka, rust, M",
            f"See what else there is: {OUTLET}",
            LINK,
        ]

    def test_say_ended_of_what_was_not_sold_out(self, deal, retailer) -> None:
        title = lines_of(deal, retailer, kind=PostKind.OVER)[0]

        assert title == "ENDED · Fjord parka, rust, M"

    def test_say_nothing_of_the_time_it_took_if_it_never_opened(
        self, deal, retailer
    ) -> None:
        deal.sold_out_at = deal.opens_at - HOUR

        title = lines_of(deal, retailer, kind=PostKind.OVER)[0]

        assert title == "SOLD OUT · Fjord parka, rust, M"

    @pytest.mark.parametrize("language", LANGUAGES)
    @pytest.mark.parametrize("kind", list(PostKind))
    def test_would_be_taken_from_a_retailer(self, kind, language) -> None:
        body = builtin_body(kind, language)

        assert check_body(kind, body) == body

    def test_are_in_the_catalog_with_the_same_fields(self) -> None:
        """French is looked up where it is translated; a slip there loses a link."""
        with (FOLDER / "fr.po").open("rb") as text:
            french = {m.id: m.string for m in read_po(text, locale="fr") if m.id}
        said = [
            line
            for kind in PostKind
            for line in builtin_body(kind, "en").split("\n")
            if french.get(line)
        ]

        assert said
        for line in said:
            check_body(PostKind.ENDING, f"{french[line]}\n{{link}}")


class TestOwnWords:
    def test_fill_every_field(self, deal, retailer) -> None:
        body = (
            "{title}|{price}|{prior}|{percent}|{units}|{allotment}\n{starts}|{ends}|"
            "{duration}\n{pitch}\n{hashtags} {next}\n→ {link}"
        )
        deal.sold, deal.pitch = 4, "One.\r\n\r\n  Two.  "
        reduction = Reduction(Money(9_998, "eur"), deal.price)

        text = tell(deal, retailer, template=worded(body), reduction=reduction)

        assert text.split("\n") == [
            "Fjord parka, rust, M|€49.99|€99.98|50|6|10",
            "Mon 2 Mar, 11:00 (Dublin)|Mon 2 Mar, 13:00 (Dublin)|2 h",
            "One.",
            "Two.",
            f"#outlet #lastchance {OUTLET}",
            f"→ {LINK}",
        ]

    @pytest.mark.parametrize(
        "reduction",
        [None, Reduction(Money(5_000, "eur"), Money(4_999, "eur"))],
    )
    def test_lose_the_lines_that_nothing_proves(
        self, deal, retailer, reduction
    ) -> None:
        body = (
            "{title}\nWas {prior}!\nSave {percent}%\nNow {price}, -{percent}%\n{link}"
        )

        lines = lines_of(deal, retailer, template=worded(body), reduction=reduction)

        assert lines == ["Fjord parka, rust, M", PRICE, LINK]

    def test_keep_the_title_of_a_line_that_nothing_proves(self, deal, retailer) -> None:
        template = worded("{title} -{percent}% {price} {link}")

        text = tell(deal, retailer, template=template)

        assert text == f"Fjord parka, rust, M {PRICE} {LINK}"

    def test_lose_the_lines_that_there_is_nothing_to_say_for(
        self, deal, retailer
    ) -> None:
        deal.pitch, retailer.hashtags = "", ""
        body = (
            "{title}\n“{pitch}”\n\n\n{hashtags}\n\n"
            "{units} left {pitch} now\n{price}\n\n{link}"
        )

        lines = lines_of(deal, retailer, template=worded(body))

        assert lines == ["Fjord parka, rust, M", "", "10 left now", PRICE, "", LINK]

    def test_put_nothing_of_a_title_in_the_place_of_a_field(
        self, deal, retailer
    ) -> None:
        deal.title, deal.pitch = "{link} {price}", "{nonsense}"

        assert "{link} {price}" in tell(deal, retailer)
        assert "{nonsense}" in tell(deal, retailer)

    def test_say_how_it_ended_where_they_want_to(self, deal, retailer) -> None:
        template = worded("{title}: {outcome}\n{next}\n{link}", kind="over")

        lines = lines_of(deal, retailer, kind=PostKind.OVER, template=template)

        assert lines == ["Fjord parka, rust, M: ENDED", OUTLET, LINK]

    def test_say_nothing_of_an_end_before_it(self, deal, retailer) -> None:
        template = worded("{title}\n{outcome}\n{price}\n{link}")

        lines = lines_of(deal, retailer, template=template)

        assert lines == ["Fjord parka, rust, M", PRICE, LINK]


class TestFitting:
    def test_leaves_out_the_least_worth_first(self, deal, retailer) -> None:
        full = tell(deal, retailer)
        shorter = tell(deal, retailer, len(full) - 1)
        shortest = tell(deal, retailer, len(shorter) - 1)

        assert "#outlet" not in shorter
        assert PITCH in shorter
        assert PITCH not in shortest
        assert "10 available" in shortest

    def test_gives_up_the_evidence_before_the_title(self, deal, retailer) -> None:
        reduction = Reduction(Money(9_900, "eur"), deal.price)
        length = len(f"{deal.title}\n{PRICE}\n{LINK}")

        text = tell(deal, retailer, length, reduction=reduction)

        assert text == f"{deal.title}\n{PRICE}\n{LINK}"

    def test_cuts_the_title_between_words(self, deal, retailer) -> None:
        needed = len(f"\n{PRICE}\n{LINK}")

        title = lines_of(deal, retailer, needed + 14)[0]

        assert title == "Fjord parka…"

    def test_keeps_together_what_a_fixed_space_does(self, deal, retailer) -> None:
        deal.title = "Coffee beans 10\xa0kg"
        needed = len(f"\n{PRICE}\n{LINK}")

        assert lines_of(deal, retailer, needed + 18)[0] == deal.title
        assert lines_of(deal, retailer, needed + 17)[0] == "Coffee beans…"

    def test_lets_no_ellipsis_touch_an_address(self, deal, retailer) -> None:
        deal.title = "Parka https://shop.example/p- in rust and cream"
        needed = len(f"\n{PRICE}\n{LINK}")

        title = lines_of(deal, retailer, needed + 32)[0]

        assert title == "Parka https://shop.example/p- …"

    def test_drops_a_title_of_one_word_that_is_too_long(self, deal, retailer) -> None:
        deal.title = "Donaudampfschifffahrt" * 30

        assert tell(deal, retailer, 100) == f"{PRICE}\n{LINK}"

    def test_keeps_price_and_link_of_a_single_line(self, deal, retailer) -> None:
        template = worded("🔥 {title} for only {price} at {link} {hashtags}")
        long = f"Fjord… {PRICE} {LINK}"

        assert tell(deal, retailer, len(long), template=template) == long
        assert tell(deal, retailer, len(long) - 1, template=template) == (
            f"{PRICE} {LINK}"
        )

    def test_drops_an_empty_line_before_a_hashtag(self, deal, retailer) -> None:
        template = worded("{title}\n\n{price}\n{hashtags}\n{link}")
        full = tell(deal, retailer, template=template)

        shorter = tell(deal, retailer, len(full) - 1, template=template)

        assert shorter == full.replace("\n\n", "\n")

    def test_says_so_if_not_even_price_and_link_fit(self, deal, retailer) -> None:
        needed = len(f"{PRICE}\n{LINK}")

        assert tell(deal, retailer, needed) == f"{PRICE}\n{LINK}"
        with pytest.raises(Rejected, match=f"takes a text of {needed - 1} at most"):
            tell(deal, retailer, needed - 1)

    def test_keeps_to_a_caption_beside_a_picture(self, deal, retailer) -> None:
        channel = channel_of(500, max_caption=100)

        assert "#outlet" in tell(deal, retailer, channel=channel)
        assert len(tell(deal, retailer, channel=channel, pictured=True)) <= 100

    def test_counts_as_the_network_does(self, deal, retailer) -> None:
        """A link counts 23 on Mastodon, so there is room for the hashtags."""
        full = tell(deal, retailer)
        channel = channel_of(len(full) - 20)
        channel.length = text_length  # type: ignore[method-assign]

        assert tell(deal, retailer, channel=channel) == full
        assert "#lastchance" not in tell(deal, retailer, len(full) - 20)

    def test_has_room_for_everything_on_the_wall(self, deal, retailer) -> None:
        deal.pitch = " ".join(["Really."] * 200)
        wall = OutletPage("https://outlet.example")

        assert deal.pitch in tell(deal, retailer, channel=wall)


class TestWhereLinksAreDead:
    def test_says_what_to_do_with_it(self, deal, retailer) -> None:
        lines = lines_of(deal, retailer, channel=instagram(), pictured=True)

        assert lines[-2:] == [
            "Type this address, or use the link in our profile:",
            LINK,
        ]

    def test_says_so_with_a_retailers_words_for_all_networks(
        self, deal, retailer
    ) -> None:
        template = worded("{title} {price}\nHere: {link}")

        lines = lines_of(deal, retailer, template=template, channel=instagram())

        assert lines[-2].startswith("Type this address")

    def test_leaves_it_to_words_that_are_for_that_network(self, deal, retailer) -> None:
        template = worded("{title} {price}\nIn bio! {link}", network="instagram")

        lines = lines_of(deal, retailer, template=template, channel=instagram())

        assert lines == [f"Fjord parka, rust, M {PRICE}", f"In bio! {LINK}"]

    def test_uses_no_more_hashtags_than_are_taken(self, deal, retailer) -> None:
        retailer.hashtags = " ".join(f"tag{number}" for number in range(40))
        deal.title = "Parka #warm"

        there = tell(deal, retailer, channel=instagram())
        elsewhere = tell(deal, retailer)

        assert (there.count("#"), elsewhere.count("#")) == (30, 41)


class TestSummerTime:
    """The clocks of Paris go back on 25 October 2026 and forward on 29 March."""

    @pytest.mark.parametrize(
        ("closes_at", "said"),
        [
            (datetime(2026, 10, 24, 23, 30, tzinfo=UTC), "Sun 25 Oct, 01:30 (Paris)"),
            (
                datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
                "Sun 25 Oct, 02:30 (Paris, CEST)",
            ),
            (
                datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
                "Sun 25 Oct, 02:30 (Paris, CET)",
            ),
            (datetime(2026, 10, 25, 17, 0, tzinfo=UTC), "Sun 25 Oct, 18:00 (Paris)"),
            (datetime(2026, 3, 29, 0, 59, tzinfo=UTC), "Sun 29 Mar, 01:59 (Paris)"),
            (datetime(2026, 3, 29, 1, 0, tzinfo=UTC), "Sun 29 Mar, 03:00 (Paris)"),
            (datetime(2026, 3, 29, 16, 0, tzinfo=UTC), "Sun 29 Mar, 18:00 (Paris)"),
        ],
    )
    def test_is_that_of_the_end(self, retailer, closes_at, said) -> None:
        """However long before the change it is posted."""
        retailer.time_zone = "Europe/Paris"
        opens_at = closes_at - 12 * HOUR
        deal = make_deal("Parka", opens_at=opens_at, closes_at=closes_at)

        text = tell(deal, retailer, template=worded("{price} {ends} {link}"))

        assert text == f"{PRICE} {said} {LINK}"

    def test_makes_a_deal_no_longer_than_it_is(self, retailer) -> None:
        retailer.time_zone = "Europe/Paris"
        opens_at = datetime(2026, 10, 24, 22, 0, tzinfo=UTC)
        deal = make_deal("Parka", opens_at=opens_at, closes_at=opens_at + 4 * HOUR)

        text = tell(
            deal,
            retailer,
            template=worded("{price}\n{starts} {ends} {duration}\n{link}"),
        )

        assert text.split("\n")[1] == (
            "Sun 25 Oct, 00:00 (Paris) Sun 25 Oct, 03:00 (Paris) 4 h"
        )


class TestComposeOver:
    def over(
        self,
        deal: Deal,
        text: str,
        retailer: Retailer,
        length: int = 500,
        **more: bool,
    ) -> str:
        channel = channel_of(length, max_caption=150)
        return compose_over(deal, text, retailer, channel, link=LINK, **more)

    def test_says_how_long_it_took(self, deal, retailer) -> None:
        deal.sold_out_at = deal.opens_at + timedelta(minutes=7, seconds=12)
        text = tell(deal, retailer)

        over = self.over(deal, text, retailer)

        assert over == f"SOLD OUT after 7 min 12 s · {text}"

    def test_says_that_it_ended(self, deal, retailer) -> None:
        over = self.over(deal, tell(deal, retailer), retailer)

        assert over.startswith("ENDED · Fjord parka")

    def test_keeps_price_and_link_when_there_is_no_room(self, deal, retailer) -> None:
        text = tell(deal, retailer, 150)
        deal.sold_out_at = deal.opens_at + 2 * HOUR

        over = self.over(deal, text, retailer, 150)

        assert len(over) <= 150
        assert over.split("\n")[0] == "SOLD OUT after 2 h · Fjord parka, rust, M"
        assert over.split("\n")[1] == PRICE
        assert over.split("\n")[-1] == LINK

    def test_keeps_to_a_caption_beside_a_picture(self, deal, retailer) -> None:
        over = self.over(deal, tell(deal, retailer), retailer, pictured=True)

        assert len(over) <= 150

    def test_shortens_the_title_rather_than_the_link(self, deal, retailer) -> None:
        text = tell(deal, retailer, 90)

        over = self.over(deal, text, retailer, 90)

        assert over == f"ENDED · Fjord parka, rust…\n{PRICE}\n{LINK}"

    def test_knows_the_price_from_a_part_of_another(self, deal, retailer) -> None:
        retailer.language, deal.price_amount = "fr", 999
        text = f"Parka\nvalait 49,99\xa0€\n9,99\xa0€\n{LINK}"
        length = len(f"TERMINÉ · Parka\n9,99\xa0€\n{LINK}") + 3

        lines = self.over(deal, text, retailer, length).split("\n")

        assert lines[1:] == ["9,99\xa0€", LINK]

    @pytest.mark.parametrize(
        ("text", "over"),
        [
            (f"Parka, rust for {PRICE} {LINK}", f"ENDED · Parka… {PRICE} {LINK}"),
            (f"{PRICE} {LINK}", f"ENDED · {PRICE} {LINK}"),
            (f"{LINK}\n{PRICE}", f"ENDED · {LINK}\n{PRICE}"),
            ("", "ENDED"),
        ],
    )
    def test_goes_before_whatever_was_posted(self, deal, retailer, text, over) -> None:
        assert self.over(deal, text, retailer, max(75, len(over))) == over or (
            over.startswith("ENDED · Parka")
        )

    def test_says_so_if_there_is_no_room_for_the_word(self, deal, retailer) -> None:
        text = f"{PRICE}\n{LINK}"

        with pytest.raises(Rejected):
            self.over(deal, text, retailer, len(text))


def utf16(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def weighted(text: str) -> int:
    """As X counts, nearly: what is not Latin counts two, and each address 23."""
    words = text.replace(LINK, "")
    return sum(1 if ord(c) < 0x1100 else 2 for c in words) + (23 if LINK in text else 0)


def emoji_bytes(text: str) -> int:
    return sum(len(c.encode()) if ord(c) > 0x2190 else 1 for c in text)


COUNTING: Mapping[str, Callable[[str], int]] = MappingProxyType(
    {
        "characters": len,
        "graphemes": count_graphemes,
        "weighted": weighted,
        "utf16": utf16,
        "emoji_bytes": emoji_bytes,
        "mastodon": text_length,
    }
)
WORDS = st.one_of(
    st.text(min_size=1, max_size=12),
    st.sampled_from(
        [
            "👩‍👩‍👧‍👦",
            "🏳️‍🌈",
            "🇫🇷🇮🇪",
            "👍🏽",
            "é́",
            "特价羽绒服限时抢购",
            "ダウンジャケット",
            "معطف",
            "מעיל",
            "\u202eakrap\u202c",
            "Donaudampfschifffahrtsgesellschaft" * 4,
            "https://shop.example/p?id=1",
            "#warm",
            "{link}",
            "$&\\1",
            "\u2028",
            "\x85",
            "\xa0",
        ]
    ),
)
TEXTS = st.lists(WORDS, max_size=25).map(" ".join)
TITLES = TEXTS.filter(lambda text: text.strip())
BODIES = st.sampled_from(
    [
        builtin_body(PostKind.ANNOUNCEMENT, "en"),
        "{title} {price} {link}",
        "{link}\n\n{pitch}\n\n\n{hashtags}\n\n{title}: {price}",
        "🔥 {title} -{percent}% ({prior}) for {price} {pitch} {hashtags} → {link}",
        "{hashtags} {pitch}\nonly {price}\n{units} {ends}\n{title}\n{link} !",
    ]
)


class TestWhateverIsSold:
    @given(
        title=TITLES,
        pitch=TEXTS,
        hashtags=TEXTS,
        body=BODIES,
        counting=st.sampled_from(sorted(COUNTING)),
        length=st.integers(20, 600),
        proven=st.booleans(),
    )
    def test_fits_with_its_price_and_its_link_or_says_so(
        self, title, pitch, hashtags, body, counting, length, proven
    ) -> None:
        deal, retailer = make_deal(title, pitch), make_retailer(hashtags=hashtags)
        channel = channel_of(length)
        channel.length = COUNTING[counting]  # type: ignore[method-assign]
        reduction = Reduction(Money(9_900, "eur"), deal.price) if proven else None

        try:
            text = tell(
                deal,
                retailer,
                template=worded(body),
                channel=channel,
                reduction=reduction,
            )
        except Rejected:
            assert channel.length(f"{PRICE}\n{LINK}") + 3 > length
            return

        assert channel.length(text) <= length
        assert text.split().count(LINK) == text.count(LINK) == 1
        assert PRICE in text
        assert "\n\n\n" not in text
        assert text == text.strip("\n ")
        assert proven or "-49%" not in text

    @given(title=TITLES, length=st.integers(70, 200))
    def test_is_cut_between_its_words(self, title, length) -> None:
        deal = make_deal(title)
        template = worded("{title}\n{price}\n{link}")

        *head, price, link = lines_of(deal, make_retailer(), length, template=template)

        assert (price, link) == (PRICE, LINK)
        assert head in [[], *([said] for said in _cuts(title))]

    @given(length=st.integers(80, 500), pitch=TEXTS, title=TITLES, body=BODIES)
    def test_fits_once_it_is_over(self, length, pitch, title, body) -> None:
        deal, retailer = make_deal(title, pitch), make_retailer()
        channel = channel_of(length)
        text = tell(deal, retailer, length, template=worded(body))

        over = compose_over(deal, text, retailer, channel, link=LINK)

        assert len(over) <= length
        assert over.startswith("ENDED")
        assert over.split().count(LINK) == 1
        assert PRICE in over


def _cuts(title: str) -> Iterator[str]:
    """Yield a title whole, and cut after each of its words; a fixed space is none."""
    words = [word for word in re.split("[^\\S\u00a0\u2007\u202f]+", title) if word]
    yield " ".join(words)
    for number in range(1, len(words)):
        cut = " ".join(words[:number])
        yield f"{cut} …" if "://" in words[number - 1] else f"{cut.rstrip(' ,;:-')}…"


@pytest.mark.parametrize("kind", list(PostKind))
def test_an_announcement_is_the_kind_that_has_to_name_a_price(kind) -> None:
    assert (kind == ANNOUNCEMENT) is (kind is PostKind.ANNOUNCEMENT)
