from typing import cast

from .client import Client
from .schema import Run
from .stream import stream

ENDS = ("run.succeeded", "run.failed", "run.cancelled")


def wait(client: Client, run_id: str) -> Run:
    """Waits until a run has finished, however long that takes, and returns it with its steps, gates and artifacts.

    A run that failed is returned too: look at `status`. Raises `Refused` when the run does not exist.
    """
    ends = stream(client, run_id=run_id, types=ENDS)
    try:
        while True:
            # A run that was retried has ended before: its status counts, not the event.
            run = cast(Run, client.get(f"/api/runs/{run_id}"))
            if run["status"] in ("succeeded", "failed", "cancelled"):
                return run
            next(ends)
    finally:
        ends.close()
