"""A webhook that was signed as NOFX signs: secret, headers and body are in the environment."""

import json
import os

import pytest
from nofx import InvalidWebhook, verify_webhook

SIGNED = json.loads(os.environ["WEBHOOK"])
SECRET: str = SIGNED["secret"]
HEADERS: dict[str, str] = SIGNED["headers"]
BODY: bytes = SIGNED["body"].encode()
SIGNATURE = HEADERS["webhook-signature"]
SENT = float(HEADERS["webhook-timestamp"])


def test_what_nofx_signed_is_its_event() -> None:
    assert verify_webhook(SECRET, HEADERS, BODY, now=SENT + 299)["type"] == "run.failed"
    # Header names have no case, and both secrets sign while one replaces the other.
    renamed = {name.title(): value for name, value in HEADERS.items()} | {"Webhook-Signature": f"v1,AAAA {SIGNATURE}"}
    assert verify_webhook(SECRET, renamed, BODY, now=SENT - 299)["type"] == "run.failed"


@pytest.mark.parametrize("signature", ["", "v1,", "v1", "v1,%%%", "v1,ü", "v2," + SIGNATURE[3:], SIGNATURE[:-4], "v1,AAAA"])
def test_a_signature_that_does_not_fit_is_refused(signature: str) -> None:
    with pytest.raises(InvalidWebhook, match="does not fit"):
        verify_webhook(SECRET, HEADERS | {"webhook-signature": signature}, BODY, now=SENT)


def test_what_was_changed_is_refused() -> None:
    for secret, headers, body in [
        (SECRET, HEADERS, BODY + b" "),
        ("whsec_AAAA", HEADERS, BODY),
        (SECRET, HEADERS | {"webhook-id": "another"}, BODY),
    ]:
        with pytest.raises(InvalidWebhook, match="does not fit"):
            verify_webhook(secret, headers, body, now=SENT)


@pytest.mark.parametrize("timestamp", ["", "NaN", "-1", "1e9", "٣", "9" * 5000])
def test_a_time_that_is_none_is_refused(timestamp: str) -> None:
    with pytest.raises(InvalidWebhook, match="five minutes"):
        verify_webhook(SECRET, HEADERS | {"webhook-timestamp": timestamp}, BODY, now=SENT)


def test_an_old_or_incomplete_webhook_is_refused() -> None:
    # Without a time the clock counts, which is years on.
    for now in (SENT + 301, SENT - 301, None):
        with pytest.raises(InvalidWebhook, match="five minutes"):
            verify_webhook(SECRET, HEADERS, BODY, now=now)
    with pytest.raises(InvalidWebhook, match="webhook-signature"):
        verify_webhook(SECRET, {name: value for name, value in HEADERS.items() if name != "webhook-signature"}, BODY, now=SENT)
    for secret in ("", "whsec_", "whsec_%"):
        with pytest.raises(InvalidWebhook, match="not one of a hook"):
            verify_webhook(secret, HEADERS, BODY, now=SENT)
