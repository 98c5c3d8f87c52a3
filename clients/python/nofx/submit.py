import time
import uuid
from typing import cast

import httpx

from .backoff import delay_s, is_temporary
from .client import Client
from .refused import Refused
from .schema import CreateRun, SubmittedRun

ATTEMPTS = 5


def submit(client: Client, submission: CreateRun, *, idempotency_key: str | None = None) -> SubmittedRun:
    """Submits a plan: `{"plan": …}`, `{"plan_yaml": …}` or `{"prompt": …}`.

    When the connection fails or the API is unavailable for a moment, the request is sent again with the same `Idempotency-Key`, so that one
    run is created. Raises `Refused` when the plan is not accepted, and `httpx.TransportError` when the API cannot be reached.
    """
    headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
    for attempt in range(1, ATTEMPTS + 1):
        response = None
        try:
            response = client.http.post("/api/runs", json=submission, headers=headers)
        except httpx.TransportError:
            if attempt == ATTEMPTS:
                raise
        if response is not None and (attempt == ATTEMPTS or not is_temporary(response.status_code)):
            return cast(SubmittedRun, Refused.check(response).json())
        time.sleep(delay_s(attempt, response))
    raise AssertionError("the last attempt returns or raises")
