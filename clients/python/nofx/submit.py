import time
import uuid
from typing import cast

import httpx

from .backoff import delay_s, is_temporary
from .client import Client
from .refused import Refused
from .schema import CreateRun, SubmittedRun

ATTEMPTS = 5
IN_PROGRESS = "https://nofx.dev/problems/request-in-progress"


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
        if response is not None:
            try:
                return cast(SubmittedRun, Refused.check(response).json())
            except Refused as refused:
                # The first request may still be under way although its connection is gone.
                is_under_way = refused.problem is not None and refused.problem["type"] == IN_PROGRESS
                if attempt == ATTEMPTS or not (is_temporary(refused.status) or is_under_way):
                    raise
        time.sleep(delay_s(attempt, response))
    raise AssertionError("the last attempt returns or raises")
