"""
Logs never tell a secret.
"""

import json

import pytest
import structlog

from outletbot.logs import hide_secrets, set_up_logs


@pytest.mark.parametrize(
    "name", ["token", "api_key", "webhook_secret", "password", "email", "address"]
)
def test_blanks_what_is_nobodys_business(name: str) -> None:
    event = {"event": "signed_in", name: "sesame", "merchant": "merchant_1"}

    told = hide_secrets(None, "info", event)

    assert told == {"event": "signed_in", name: "…", "merchant": "merchant_1"}


def test_writes_one_json_line_a_thing(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        set_up_logs("json")
        structlog.get_logger().info("post_published", post="post_1", title="Été")
    finally:
        structlog.reset_defaults()

    (line,) = capsys.readouterr().err.splitlines()
    told = json.loads(line)
    assert (told["event"], told["level"]) == ("post_published", "info")
    assert (told["post"], told["title"]) == ("post_1", "Été")
    assert told["timestamp"].endswith("Z")
    assert "Été" in line
