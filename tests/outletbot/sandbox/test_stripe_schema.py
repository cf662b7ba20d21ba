"""
The schema is what the installed library says: a guard against its next version.
"""

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stripe import params
from stripe.params import checkout

from outletbot.sandbox.stripe_errors import Invalid
from outletbot.sandbox.stripe_forms import read_form
from outletbot.sandbox.stripe_operations import OPERATIONS
from outletbot.sandbox.stripe_schema import Record, record_of

SESSION = record_of(checkout.SessionCreateParams)
EVENTS = record_of(params.EventListParams)


class TestLibrary:
    @pytest.mark.parametrize("operation", OPERATIONS, ids=" ".join)
    def test_still_says_what_each_operation_takes(self, operation) -> None:
        schema = record_of(OPERATIONS[operation][0])

        assert isinstance(schema, Record)
        assert "expand" in schema.fields or operation[0] == "DELETE"
        assert "idempotency_key" not in schema.fields

    def test_still_knows_what_we_send(self) -> None:
        assert {
            "adaptive_pricing",
            "cancel_url",
            "client_reference_id",
            "customer_email",
            "expires_at",
            "line_items",
            "locale",
            "metadata",
            "mode",
            "payment_intent_data",
            "phone_number_collection",
            "shipping_address_collection",
            "success_url",
            "ui_mode",
        } <= SESSION.fields.keys()
        assert {"amount", "payment_intent", "reason", "metadata"} <= record_of(
            params.RefundCreateParams
        ).fields.keys()

    def test_has_no_payment_method_types_any_more(self) -> None:
        assert "payment_method_types" not in SESSION.fields


class TestReading:
    def test_turns_texts_into_what_they_mean(self) -> None:
        form = read_form(
            "mode=payment&expires_at=1772456400&allow_promotion_codes=false"
            "&metadata[hold]=hold_1&expand[]=payment_intent&expand[]=customer"
            "&line_items[0][quantity]=2&line_items[0][price_data][currency]=eur"
            "&line_items[0][price_data][unit_amount_decimal]=12.5"
        )

        assert SESSION.read(form) == {
            "mode": "payment",
            "expires_at": 1_772_456_400,
            "allow_promotion_codes": False,
            "metadata": {"hold": "hold_1"},
            "expand": ["payment_intent", "customer"],
            "line_items": [
                {
                    "quantity": 2,
                    "price_data": {
                        "currency": "eur",
                        "unit_amount_decimal": Decimal("12.5"),
                    },
                }
            ],
        }

    @pytest.mark.parametrize(
        ("form", "param"),
        [
            ("expires_at=soon", "expires_at"),
            ("expires_at=%C2%B2", "expires_at"),
            ("expires_at[gte]=1", "expires_at"),
            ("allow_promotion_codes=yes", "allow_promotion_codes"),
            ("line_items=lamp", "line_items"),
            ("line_items[0]=lamp", "line_items[0]"),
            ("metadata=hold", "metadata"),
            ("mode=subscribe", "mode"),
            ("cancel_url=", "cancel_url"),
            ("a=1&b=2", "a"),
            ("mode=payment&mode[x]=1", "mode[x]"),
            ("[mode]=payment", "[mode]"),
            ("mode[=payment", "mode["),
            ("phone_number_collection[x]=1", "phone_number_collection[x]"),
            ("phone_number_collection[]=1", "phone_number_collection"),
        ],
    )
    def test_refuses_what_is_of_another_shape(self, form: str, param: str) -> None:
        with pytest.raises(Invalid) as refusal:
            SESSION.read(read_form(form))

        assert refusal.value.param == param

    def test_names_every_unknown_parameter(self) -> None:
        with pytest.raises(Invalid) as refusal:
            SESSION.read(read_form("a=1&b=2"))

        assert str(refusal.value) == "Received unknown parameters: a, b"

    def test_takes_either_a_number_or_a_span(self) -> None:
        assert EVENTS.read(read_form("created=5")) == {"created": 5}
        assert EVENTS.read(read_form("created[gte]=5")) == {"created": {"gte": 5}}
        with pytest.raises(Invalid) as refusal:
            EVENTS.read(read_form("created[since]=5"))
        assert refusal.value.param == "created[since]"

    def test_lets_metadata_be_cleared(self) -> None:
        refund = record_of(params.RefundCreateParams)

        assert refund.read(read_form("metadata=")) == {"metadata": ""}

    def test_lets_metadata_have_numbers_for_names(self) -> None:
        assert SESSION.read(read_form("metadata[0]=a&metadata[1]=b")) == {
            "metadata": {"0": "a", "1": "b"}
        }

    def test_counts_no_further_than_makes_sense(self) -> None:
        form = read_form(f"line_items[{'9' * 5_000}]=lamp")

        with pytest.raises(Invalid):
            SESSION.read(form)

    @settings(deadline=None)
    @given(st.text(alphabet="ab01[]=&%", max_size=60))
    def test_never_fails_but_by_refusing(self, form: str) -> None:
        with suppress(Invalid):
            assert isinstance(SESSION.read(read_form(form)), dict)
