import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import cast

from .schema import CloudEvent

TOLERANCE_S = 300


class InvalidWebhook(ValueError):
    """A webhook that is not from NOFX, was changed, or is too old."""


def verify_webhook(secret: str, headers: Mapping[str, str], body: bytes, *, now: float | None = None) -> CloudEvent:
    """Verifies a webhook of a hook (Standard Webhooks) and returns its event.

    `body` is the body as it was received, byte for byte; `secret` is what `POST /api/hooks` returned (`whsec_…`). Raises `InvalidWebhook`,
    whatever was sent. A webhook may arrive more than once: `webhook-id` stays the same.
    """
    message, timestamp, signatures = (_header(headers, f"webhook-{name}") for name in ("id", "timestamp", "signature"))
    is_number = timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 12
    if not is_number or abs((time.time() if now is None else now) - int(timestamp)) > TOLERANCE_S:
        raise InvalidWebhook("the webhook was not sent in the last five minutes; check the clock")
    key = _decode(secret.removeprefix("whsec_")) if isinstance(secret, str) else b""
    if not key:
        raise InvalidWebhook("the secret is not one of a hook: whsec_ and base64")
    if not isinstance(body, (bytes, bytearray)):
        raise InvalidWebhook("the body is not the bytes that were received")
    expected = hmac.digest(key, b".".join([message.encode(errors="surrogatepass"), timestamp.encode(), body]), hashlib.sha256)
    # While a secret is rotated, both sign. Each is compared whole, in constant time.
    signed = [_decode(one.removeprefix("v1,")) for one in signatures.split(" ") if one.startswith("v1,")]
    if not any([hmac.compare_digest(expected, one) for one in signed]):
        raise InvalidWebhook("the signature of the webhook does not fit")
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        event = None
    if not isinstance(event, dict):
        raise InvalidWebhook("the body of the webhook is no event")
    return cast(CloudEvent, event)


def _header(headers: Mapping[str, str], name: str) -> str:
    try:
        value = {key.lower(): value for key, value in headers.items()}[name]
    except (AttributeError, KeyError, TypeError, ValueError):
        value = None
    if not isinstance(value, str):
        raise InvalidWebhook(f"the webhook has no header {name!r} that is text")
    return value


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
