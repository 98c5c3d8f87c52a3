"""A webhook that was signed as NOFX signs: secret, headers and body are in the environment."""

import base64
import hashlib
import hmac
import json
import os
from typing import Any

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


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
@pytest.mark.parametrize("value", [None, 1, b"v1,AAAA", ["v1,AAAA"], "\ud800", "ü" * 5000, "\0"])
def test_a_header_of_another_kind_is_refused(name: str, value: Any) -> None:
    with pytest.raises(InvalidWebhook):
        verify_webhook(SECRET, HEADERS | {name: value}, BODY, now=SENT)


@pytest.mark.parametrize("headers", [None, 1, "webhook-id", [], [("webhook-id", "a")], {1: "a"}, {b"webhook-id": "a"}, {None: None}])
def test_headers_that_are_none_are_refused(headers: Any) -> None:
    with pytest.raises(InvalidWebhook, match="webhook-id"):
        verify_webhook(SECRET, headers, BODY, now=SENT)


def test_a_secret_and_a_body_of_another_kind_are_refused() -> None:
    secrets: list[Any] = [None, 1, b"whsec_AAAA", ["whsec_AAAA"], "whsec_ü", "whsec_\ud800", "whsec_A"]
    for secret in secrets:
        with pytest.raises(InvalidWebhook, match="not one of a hook"):
            verify_webhook(secret, HEADERS, BODY, now=SENT)
    bodies: list[Any] = [None, 1, BODY.decode(), json.loads(BODY), [BODY]]
    for body in bodies:
        with pytest.raises(InvalidWebhook, match="not the bytes"):
            verify_webhook(SECRET, HEADERS, body, now=SENT)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"1", b"null", b"\xff", b"[" * 100_000])
def test_a_signed_body_that_is_no_event_is_refused(body: bytes) -> None:
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    signed = f"{HEADERS['webhook-id']}.{HEADERS['webhook-timestamp']}.".encode() + body
    signature = "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    with pytest.raises(InvalidWebhook, match="no event"):
        verify_webhook(SECRET, HEADERS | {"webhook-signature": signature}, body, now=SENT)
