"""
A message is from whom it claims and from now, or it is refused; never an accident.
"""

import base64
import hmac
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from tests.factories import MINUTE, NOON, SECOND
from webhooks.signing import InvalidSignature, new_secret, sign, verify

SECRET = "whsec_" + base64.b64encode(b"north" * 6).decode()
OTHER = "whsec_" + base64.b64encode(b"south" * 6).decode()
BODY = '{"type":"stock.updated","data":{"title":"Manteau léger 🧥"}}'


def check(
    headers: dict[str, str],
    body: bytes = BODY.encode(),
    *,
    secrets: tuple[str, ...] = (SECRET,),
    now: datetime = NOON,
) -> str:
    return verify(headers, body, secrets=secrets, now=now)


def signed(**changed: str) -> dict[str, str]:
    headers = sign("msg_1", BODY, secret=SECRET, now=NOON)
    return headers | {name.replace("_", "-"): value for name, value in changed.items()}


class TestVerify:
    def test_returns_the_messages_id(self) -> None:
        assert check(signed()) == "msg_1"

    def test_takes_names_of_headers_in_any_case(self) -> None:
        headers = {name.title(): value for name, value in signed().items()}

        assert check(headers) == "msg_1"

    def test_takes_any_secret_while_they_are_rotated(self) -> None:
        assert check(signed(), secrets=(OTHER, SECRET)) == "msg_1"

    def test_takes_any_of_several_signatures(self) -> None:
        theirs = sign("msg_1", BODY, secret=OTHER, now=NOON)["webhook-signature"]
        ours = signed()["webhook-signature"]

        headers = signed(webhook_signature=f"v2,x {theirs} {ours}")

        assert check(headers) == "msg_1"

    @pytest.mark.parametrize("away", [-5 * MINUTE, timedelta(0), 5 * MINUTE])
    def test_takes_a_message_of_the_last_or_next_five_minutes(
        self, away: timedelta
    ) -> None:
        assert check(signed(), now=NOON + away) == "msg_1"

    @pytest.mark.parametrize("away", [-5 * MINUTE - SECOND, 5 * MINUTE + SECOND])
    def test_refuses_what_is_stale_or_of_the_future(self, away: timedelta) -> None:
        with pytest.raises(InvalidSignature, match="five minutes"):
            check(signed(), now=NOON + away)

    @pytest.mark.parametrize("secrets", [(), ("",), (OTHER,), (OTHER, "")])
    def test_refuses_without_the_secret(self, secrets: tuple[str, ...]) -> None:
        with pytest.raises(InvalidSignature):
            check(signed(), secrets=secrets)

    def test_refuses_what_an_empty_secret_signed(self) -> None:
        text = f"msg_1.{int(NOON.timestamp())}.{BODY}".encode()
        forged = base64.b64encode(hmac.digest(b"", text, "sha256")).decode()

        with pytest.raises(InvalidSignature):
            check(signed(webhook_signature=f"v1,{forged}"), secrets=("",))

    @pytest.mark.parametrize(
        "name", ["webhook-id", "webhook-timestamp", "webhook-signature"]
    )
    def test_refuses_without_a_header(self, name: str) -> None:
        headers = signed()
        del headers[name]

        with pytest.raises(InvalidSignature):
            check(headers)

    @pytest.mark.parametrize("body", [BODY.encode()[:-1], b"", BODY.encode() + b" "])
    def test_refuses_another_body(self, body: bytes) -> None:
        with pytest.raises(InvalidSignature):
            check(signed(), body)

    def test_refuses_another_id(self) -> None:
        with pytest.raises(InvalidSignature):
            check(signed(webhook_id="msg_2"))

    def test_refuses_another_time(self) -> None:
        later = str(int((NOON + SECOND).timestamp()))

        with pytest.raises(InvalidSignature):
            check(signed(webhook_timestamp=later))

    @pytest.mark.parametrize(
        "signature",
        [
            "",
            " ",
            "v1",
            "nocomma",
            "v1,",
            "v1,not base64 !",
            "v1,äöü",
            "v1,\udce9",
            "v2,abc",
            "v1a,abc",
            ",",
        ],
    )
    def test_refuses_a_signature_that_is_none(self, signature: str) -> None:
        with pytest.raises(InvalidSignature):
            check(signed(webhook_signature=signature))

    @pytest.mark.parametrize(
        "timestamp",
        ["", "now", "-1", "1e9", "²", "٣", "1" * 400, "1772452800.0", " ", "0"],
    )
    def test_refuses_a_time_that_is_none(self, timestamp: str) -> None:
        with pytest.raises(InvalidSignature):
            check(signed(webhook_timestamp=timestamp))

    @pytest.mark.parametrize("message_id", ["é", "\udce9", "a.b"])
    def test_refuses_an_odd_id_that_nobody_signed(self, message_id: str) -> None:
        with pytest.raises(InvalidSignature):
            check(signed(webhook_id=message_id))

    @pytest.mark.parametrize("body", [b"\xff\xfe", b"\xe9t\xe9"])
    def test_refuses_a_body_that_is_no_text(self, body: bytes) -> None:
        with pytest.raises(InvalidSignature):
            check(signed(), body)


@given(
    st.dictionaries(
        st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature"]),
        st.text(),
    ),
    st.binary(),
)
def test_nothing_that_anybody_sends_is_an_accident(
    headers: dict[str, str], body: bytes
) -> None:
    with pytest.raises(InvalidSignature):
        check(headers, body)


def test_what_we_sign_is_what_the_standards_own_library_takes() -> None:
    secret = new_secret()

    headers = sign("msg_1", BODY, secret=secret, now=NOON)

    expected = Webhook(secret).sign("msg_1", NOON, BODY)
    assert headers == {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(NOON.timestamp())),
        "webhook-signature": expected,
    }
    assert verify(headers, BODY.encode(), secrets=[secret], now=NOON) == "msg_1"


def test_every_secret_is_another() -> None:
    assert len({new_secret() for _ in range(20)}) == 20
