"""
Reports: what came of a rehearsal, kept as JSON and told in plain sentences.
"""

from dataclasses import replace

import pytest

from offers.reports import More, Report, Tone, load_report, remarks

GOOD = Report(
    units=500,
    sold=500,
    oversold=0,
    payments=510,
    orders=500,
    refunds=10,
    payments_unaccounted=0,
    seconds_to_sold_out=84.2,
    seconds_to_settled=97.5,
    posts_retired_ms=640.4,
    ledger_difference=0,
    more=More(
        shoppers=5_000,
        page_p99_ms=140.2,
        claim_p99_ms=320.0,
        payment_page_last_seconds=8.0,
        series=[[0.0, 0.0, 0.0, 500.0]],
    ),
)

WAITED = (
    "The last shopper waited 18 s for the payment page: in test mode Stripe makes 25 a "
    "second. Live it makes 100."
)


def more(**changes: object) -> Report:
    return replace(GOOD, more=replace(GOOD.more, **changes))


def said(report: Report, *tones: Tone) -> list[str]:
    wanted = tones or tuple(Tone)
    return [str(one.sentence) for one in remarks(report) if one.tone in wanted]


class TestVerdict:
    def test_of_a_good_one_is_good_throughout(self):
        assert GOOD.passed
        assert said(GOOD, Tone.WARN, Tone.BAD) == []
        assert said(GOOD) == [
            "Nothing was oversold.",
            "Every hold that a shopper was promised was kept, and once.",
            "Every payment became an order or was given back.",
            "The books agree with Stripe's balance.",
            "Sold out 84 s after the opening.",
            "99 of 100 pages came within 140 ms.",
            "99 of 100 taps on Buy were answered within 320 ms.",
            "Payment pages kept pace: nobody waited longer than 8 s.",
            "Every post said that it is over 640 ms after the last unit was sold.",
        ]

    @pytest.mark.parametrize(
        ("report", "sentence"),
        [
            (replace(GOOD, oversold=2), "2 units too many were promised."),
            (more(adrift=True), "0 units too many were promised."),
            (
                replace(GOOD, payments_unaccounted=3),
                "3 payments have neither an order nor a refund.",
            ),
            (
                replace(GOOD, ledger_difference=-1234),
                "The books differ from Stripe's balance by -12.34 EUR.",
            ),
            (more(lost=1), "1 holds got lost and 0 were made twice."),
            (more(doubled=1), "0 holds got lost and 1 were made twice."),
            (more(posts_twice=1), "1 posts went out twice."),
            (
                replace(more(unsettled={"holds": 1}), seconds_to_settled=None),
                "When time was up, something was still waiting: see below.",
            ),
        ],
    )
    def test_of_what_must_never_happen_is_bad(self, report, sentence):
        assert not report.passed
        assert said(report, Tone.BAD) == [sentence]

    @pytest.mark.parametrize(
        ("report", "sentence"),
        [
            (
                replace(GOOD, seconds_to_sold_out=None, sold=12),
                "Not sold out: 5000 shoppers bought 12 of 500 units.",
            ),
            (more(page_p99_ms=1_800.0), "99 of 100 pages came within 1800 ms."),
            (
                more(claim_p99_ms=9_000.0),
                "99 of 100 taps on Buy were answered within 9000 ms.",
            ),
            (more(busy=4), "4 taps were told to come back in some seconds, and did."),
            (
                more(payment_page_last_seconds=18.3),
                WAITED,
            ),
            (more(posts_failed=1), "1 posts did not go out."),
        ],
    )
    def test_of_what_could_be_better_is_a_warning(self, report, sentence):
        assert report.passed
        assert said(report, Tone.WARN) == [sentence]

    def test_says_nothing_of_posts_where_nothing_was_sold_out(self):
        quiet = replace(GOOD, posts_retired_ms=None)

        assert not any("post" in sentence for sentence in said(quiet))


class TestJson:
    def test_is_read_as_it_was_written(self):
        told = load_report(GOOD.as_json())

        assert told == replace(GOOD, more=replace(GOOD.more, verdict=said(GOOD)))

    def test_has_the_headline_at_the_top(self):
        assert list(GOOD.as_json()) == [
            "units",
            "sold",
            "oversold",
            "payments",
            "orders",
            "refunds",
            "payments_unaccounted",
            "seconds_to_sold_out",
            "seconds_to_settled",
            "posts_retired_ms",
            "ledger_difference",
            "more",
        ]

    def test_of_another_version_is_read_as_far_as_it_goes(self):
        told = GOOD.as_json()
        told["novelty"] = 1
        told["more"]["novelty"] = 1
        del told["more"]["busy"]

        assert load_report(told).more.busy == 0
