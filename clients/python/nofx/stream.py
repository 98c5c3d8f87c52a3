import json
import time
from collections.abc import Generator, Iterable
from typing import cast

import httpx
from httpx_sse import EventSource, SSEError

from .backoff import delay_s, is_temporary
from .client import Client
from .refused import Refused
from .schema import CloudEvent

# The server sends a comment every 15 seconds: a connection that is silent for longer is dead.
SILENCE_S = 45.0


def stream(
    client: Client,
    *,
    run_id: str | None = None,
    types: Iterable[str] | None = None,
    after: str | None = None,
    silence_s: float = SILENCE_S,
) -> Generator[CloudEvent]:
    """Events in the order of the log, each at least once, without an end.

    When the connection ends, fails, or is silent for `silence_s` seconds, it is made again and continues after the last event. Store an
    event's `id` and pass it as `after` to continue in another process. Without `after` the events of a run come from its beginning, those of
    the tenant from now on. Raises `Refused` when the API refuses the request itself, and `httpx_sse.SSEError` when what responds is no event
    stream.
    """
    params = {"run_id": run_id, "types": ",".join(types) if types is not None else None}
    last, failures, wait_s = after, 0, 0.5
    while True:
        refusal: httpx.Response | None = None
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last} if last else {})
        request = client.http.build_request(
            "GET",
            "/api/events/stream",
            params={name: value for name, value in params.items() if value is not None},
            headers=headers,
            timeout=httpx.Timeout(30, read=silence_s),
        )
        try:
            response = client.http.send(request, stream=True)
            try:
                if response.is_success:
                    for message in EventSource(response).iter_sse():
                        failures = 0
                        wait_s = message.retry / 1000 if message.retry is not None else wait_s
                        if message.data and message.event != "reconnect":
                            last = message.id or last
                            yield cast(CloudEvent, json.loads(message.data))
                    # Ended as it should: the server ends each stream after a while.
                    failures = 0
                    time.sleep(wait_s)
                    continue
                response.read()
                refusal = response
            finally:
                response.close()
        except SSEError:
            # A kind of TransportError, but another attempt would bring the same page.
            raise
        except httpx.TransportError:
            pass
        if refusal is not None and not is_temporary(refusal.status_code):
            Refused.check(refusal)
        failures += 1
        time.sleep(delay_s(failures, refusal))
