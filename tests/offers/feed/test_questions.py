"""
What a file does not say is asked, with choices; what was answered is used.
"""

from datetime import date
from decimal import Decimal

import pytest

from offers.feed import Answers, Feed, Question, RowError
from tests.offers.feed.feeds import errors_of, opened, refusal_of, rows_of, skipped_of

PLAIN = "sku;title;price;stock\nA;Box;10,00;3\n"
NET = "ref;nom;Prix HT;stock\nA;Box;10,00;3\nB;Bag;0,99;3\n"


def question(feed: Feed, kind: str) -> Question:
    (found,) = [one for one in feed.questions if one.kind == kind]
    return found


def kinds(feed: Feed) -> list[str]:
    return [one.kind for one in feed.questions]


class TestCurrency:
    def test_is_asked_where_nothing_says_it(self) -> None:
        asked = question(opened(PLAIN), "currency")

        assert (asked.answer, asked.answered, asked.needed) == ("eur", False, False)

    @pytest.mark.parametrize(
        "text",
        [
            "sku;title;Price (USD)\nA;Box;10.00\n",
            "sku;title;price_usd\nA;Box;10.00\n",
            "sku;title;price;currency\nA;Box;10.00;USD\n",
            "sku;title;price\nA;Box;10.00 USD\n",
        ],
    )
    def test_is_not_asked_where_the_file_says_it(self, text: str) -> None:
        (row,) = rows_of(text)

        assert row.price is not None
        assert row.price.currency == "usd"
        assert "currency" not in kinds(opened(text))

    def test_is_as_answered(self) -> None:
        answers = Answers(currency="chf")
        (row,) = rows_of(PLAIN, answers=answers)

        assert str(row.price) == "10.00 CHF"
        assert question(opened(PLAIN, answers=answers), "currency").answered

    def test_what_the_file_says_goes_before_the_answer(self) -> None:
        text = (
            "*Action(SiteID=US|Currency=USD|CC=UTF-8),sku,title,price\nAdd,A,Box,10\n"
        )
        (row,) = rows_of(text, answers=Answers(currency="eur"))

        assert str(row.price) == "10.00 USD"

    def test_of_several_columns_ours_is_read(self) -> None:
        text = "sku;title;Price EUR;Price USD\nA;Box;10;12\n"

        assert [str(row.price) for row in rows_of(text)] == ["10.00 EUR"]
        assert [str(row.price) for row in rows_of(text, currency="usd")] == [
            "12.00 USD"
        ]

    def test_a_column_without_any_price_is_passed_over(self) -> None:
        text = "sku;title;Price EUR;Price USD\nA;Box;10;\n"

        assert [str(row.price) for row in rows_of(text, currency="usd")] == [
            "10.00 EUR"
        ]


class TestTax:
    def test_is_asked_where_no_header_says_it(self) -> None:
        asked = question(opened(PLAIN), "tax")

        assert [choice.value for choice in asked.choices] == ["included", "excluded"]
        assert not asked.answered

    def test_included_is_taken_as_it_stands(self) -> None:
        answers = Answers(tax="included")
        (row,) = rows_of(PLAIN, answers=answers)

        assert (str(row.price), row.tax) == ("10.00 EUR", "included")
        assert question(opened(PLAIN, answers=answers), "tax").answered

    def test_without_tax_the_rate_is_needed(self) -> None:
        feed = opened(NET)

        assert "tax" not in kinds(feed)
        assert question(feed, "tax_rate").needed

    def test_prices_are_grossed_up_and_rounded_half_up(self) -> None:
        rows = rows_of(NET, answers=Answers(tax_rate=Decimal("5.5")))

        assert [str(row.price) for row in rows] == ["10.55 EUR", "1.04 EUR"]
        assert {row.tax for row in rows} == {"included"}

    def test_prices_finer_than_a_cent_are_read_with_their_tax(self) -> None:
        text = "sku;title;price_net;stock\nA;Box;495.79831932773;3\n"
        (row,) = rows_of(text, answers=Answers(tax_rate=Decimal(19)))

        assert str(row.price) == "590.00 EUR"

    def test_the_rate_of_a_row_goes_before_the_answer(self) -> None:
        text = "ref;nom;Prix HT;Taux de TVA\nA;Box;10,00;5,5\nB;Bag;10,00;\n"
        rows = rows_of(text, answers=Answers(tax_rate=Decimal(20)))

        assert [str(row.price) for row in rows] == ["10.55 EUR", "12.00 EUR"]
        assert "tax_rate" not in kinds(opened(text))

    def test_the_price_before_is_grossed_up_too(self) -> None:
        text = "ref;nom;Prix HT;Prix barré\nA;Box;10,00;15,00\n"
        (row,) = rows_of(text, answers=Answers(tax_rate=Decimal(20)))

        assert (str(row.price), str(row.list_price)) == ("12.00 EUR", "18.00 EUR")

    def test_the_cost_is_never_grossed_up(self) -> None:
        text = "ref;nom;Prix HT;Prix d'achat HT\nA;Box;10,00;4,00\n"
        (row,) = rows_of(text, answers=Answers(tax_rate=Decimal(20)))

        assert str(row.cost) == "4.00 EUR"

    def test_answered_as_without_tax_the_rate_is_asked_next(self) -> None:
        feed = opened(PLAIN, answers=Answers(tax="excluded"))

        assert question(feed, "tax_rate").needed


class TestClearance:
    text = "ref;nom;prix;prix2;stock\nA;Box;20;15;3\n"

    def test_of_two_prices_is_asked(self) -> None:
        asked = question(opened(self.text), "clearance")

        assert [choice.value for choice in asked.choices] == ["prix", "prix2"]
        assert asked.needed

    def test_the_one_that_was_answered_is_charged(self) -> None:
        (row,) = rows_of(self.text, answers=Answers(clearance="prix2"))

        assert (str(row.price), str(row.list_price)) == ("15.00 EUR", "20.00 EUR")

    def test_of_two_names_of_a_price_is_asked(self) -> None:
        text = "ref;nom;Prix de vente;Tarif;stock\nA;Box;20;15;3\n"
        (row,) = rows_of(text, answers=Answers(clearance="Tarif"))

        assert question(opened(text), "clearance").answer == "Prix de vente"
        assert (str(row.price), str(row.list_price)) == ("15.00 EUR", "20.00 EUR")

    @pytest.mark.parametrize(
        "text",
        [
            PLAIN,
            "ref;nom;Prix HT;Prix TTC\nA;Box;10;12\n",
            "ref;nom;Prix;Prix promo\nA;Box;20;15\n",
            "sku;title;Price EUR;Price USD\nA;Box;20;15\n",
            "sku;title;price;price\nA;Box;20;15\n",
        ],
    )
    def test_is_not_asked_where_it_is_known(self, text: str) -> None:
        assert "clearance" not in kinds(opened(text))

    def test_is_not_asked_of_a_column_that_is_ignored(self) -> None:
        assert "clearance" not in kinds(opened(self.text, mapping={"prix2": ""}))


class TestUnits:
    @pytest.mark.parametrize(
        "text",
        [
            "sku;title;price\nA;Box;10\n",
            "sku;title;price;stock\nA;Box;10;\n",
            "sku;title;price;stock\nA;Box;10;InStock\n",
        ],
    )
    def test_are_asked_where_they_are_not_counted(self, text: str) -> None:
        assert [row.quantity for row in rows_of(text)] == [None]
        assert question(opened(text), "units").answer == ""

    def test_are_as_answered_but_not_where_nothing_is_left(self) -> None:
        text = "sku;title;price;stock\nA;Box;10;InStock\nB;Bag;10;OutOfStock\n"
        rows = rows_of(text, answers=Answers(units=4))

        assert [row.quantity for row in rows] == [4, 0]

    def test_are_not_asked_where_they_are_counted(self) -> None:
        assert "units" not in kinds(opened(PLAIN))


class TestMarks:
    text = "sku;title;price\nA;Box;1.234\nB;Bag;2.500\n"

    def test_are_asked_where_a_column_could_mean_two_numbers(self) -> None:
        asked = question(opened(self.text), "mark")

        assert asked.key == "mark:price"
        assert [(c.value, str(c.label)) for c in asked.choices] == [
            (",", "Thousands"),
            (".", "Three decimals"),
        ]
        assert len(errors_of(self.text)) == 2

    def test_are_as_answered(self) -> None:
        rows = rows_of(self.text, answers=Answers(marks={"price": ","}))

        assert [str(row.price) for row in rows] == ["1,234.00 EUR", "2,500.00 EUR"]

    def test_are_not_asked_where_another_cell_tells(self) -> None:
        assert "mark" not in kinds(opened(f"{self.text}C;Cup;3.50\n"))


class TestDays:
    text = (
        "sku;title;price;sale price;sale from;sale to\nA;Box;20;15;3/2/2026;4/2/2026\n"
    )

    def test_are_asked_where_they_could_be_two(self) -> None:
        feed = opened(self.text)

        assert kinds(feed)[-2:] == ["days", "days"]
        assert {e.column for e in errors_of(self.text)} == {"sale from", "sale to"}

    def test_are_as_answered(self) -> None:
        days = {"sale from": "month", "sale to": "month"}
        (row,) = rows_of(self.text, answers=Answers(days=days))

        assert (row.sale_from, row.sale_to) == (date(2026, 3, 2), date(2026, 4, 2))
        assert str(row.price) == "15.00 EUR"

    @pytest.mark.parametrize(
        ("days", "first"),
        [
            ("3/2/2026;28/2/2026", date(2026, 2, 3)),
            ("3/2/2026;4/28/2026", date(2026, 3, 2)),
            ('3/2/26, 11:40 AM;"3/4/26, 9:00 PM"', date(2026, 3, 2)),
            ("3.2.2026;4.2.2026", date(2026, 2, 3)),
        ],
    )
    def test_are_told_by_other_days(self, days: str, first: date) -> None:
        text = f"sku;title;price;sale price;sale from;sale to\nA;Box;20;15;{days}\n"
        (row,) = rows_of(text)

        assert row.sale_from == first
        assert "days" not in kinds(opened(text))


class TestMapping:
    text = "A-1;Box;12,50;3;x\nA-2;Bag;13,50;8;x\nA-3;Cup;14,50;5;x\n"

    def test_a_file_without_a_header_is_refused_where_nobody_can_be_asked(self) -> None:
        assert refusal_of(self.text).startswith("The file has no header line.")

    def test_it_is_asked_for_where_somebody_can_be(self) -> None:
        feed = opened(self.text, ask=True)

        assert kinds(feed) == ["mapping"]
        assert [m.column for m in feed.columns][:2] == ["Column 1", "Column 2"]
        assert [m.proposed for m in feed.columns] == [
            "sku",
            "title",
            "price",
            "quantity",
            None,
        ]
        assert [row.line for row in skipped_of(self.text, ask=True)] == [1, 2, 3]

    def test_it_may_be_given_by_the_number_of_a_column(self) -> None:
        how = {"Column 1": "sku", "Column 2": "title", "Column 3": "price"}
        rows = rows_of(self.text, mapping=how)

        assert (rows[0].sku, rows[0].title) == ("A-1", "Box")
        assert str(rows[2].price) == "14.50 EUR"

    def test_names_that_nobody_knows_are_asked_for_too(self) -> None:
        text = "Kode;Navn;Beløb\nA-1;Box;12,50\nA-2;Bag;13,50\n"

        assert "These columns are missing" in refusal_of(text)
        assert kinds(opened(text, ask=True)) == ["mapping"]
        mapping = {"Kode": "sku", "Navn": "title", "Beløb": "price"}
        assert [row.sku for row in rows_of(text, mapping=mapping)] == ["A-1", "A-2"]

    def test_columns_of_prestashop_are_known_by_their_position(self) -> None:
        head = ";".join(f"Kolonne {chr(65 + i)}" for i in range(25))
        cells = ["7", "1", "Box", "Home", "100", "1", "40", "0", "", "", "", "", "R-7"]
        row = ";".join(cells + [""] * 10 + ["16", "1"])
        feed = opened(f"{head}\n{row}\n", ask=True)

        proposed = {m.column: m.proposed for m in feed.columns if m.proposed}
        assert proposed["Kolonne E"] == "price"
        assert proposed["Kolonne X"] == "quantity"
        assert proposed["Kolonne M"] == "sku"
        assert "In PrestaShop it is column 5." in str(feed.columns[4].reason)


class TestAnswers:
    def test_are_kept_as_text(self) -> None:
        answers = Answers.read(
            {
                "currency": "CHF",
                "tax": "excluded",
                "tax_rate": "5,5 %",
                "clearance": "prix2",
                "places": "Paris\nLyon",
                "units": "5",
                "mark:prix": ",",
                "mark:": "",
                "days:von": "day",
            }
        )

        assert answers == Answers(
            currency="chf",
            tax="excluded",
            tax_rate=Decimal("5.5"),
            clearance="prix2",
            places=("Paris", "Lyon"),
            units=5,
            marks={"prix": ","},
            days={"von": "day"},
        )
        assert Answers.read({}) == Answers()

    @pytest.mark.parametrize(
        ("key", "text"),
        [
            ("currency", "euros"),
            ("tax", "perhaps"),
            ("tax_rate", "much"),
            ("tax_rate", "101"),
            ("tax_rate", "NaN"),
            ("units", "-1"),
            ("units", "²"),
            ("mark:price", "'"),
            ("days:from", "year"),
        ],
    )
    def test_that_cannot_be_are_refused(self, key: str, text: str) -> None:
        with pytest.raises(ValueError, match=text):
            Answers.read({key: text})


def test_rows_that_were_mended_are_read_again() -> None:
    feed = opened("sku;title;price;stock\nA;Box;x;3\nB;Bag;10;3\n")
    (error,) = [row for row in feed.rows() if isinstance(row, RowError)]
    mended = ["A", "Box", "12,50", "3"]

    assert error.sku == "A"
    (row,) = feed.read_again([(error.line, mended)])
    assert row.line == 2
    assert [type(row) for row in feed.read_again([(2, error.cells)])] == [RowError]
