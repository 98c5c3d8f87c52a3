"""Against a real API: URL, and tokens of a contributor and a supervisor, are in the environment."""

import os
import uuid
from collections.abc import Callable

import pytest
from examples.release import release
from nofx import Client, Refused, download, stream, submit, wait
from nofx.schema import CreateRun

ONE: CreateRun = {"plan": {"goal": "one", "steps": [{"name": "a", "tool": "noop"}]}}


def connect(name: str) -> Client:
    return Client(os.environ["API_URL"] + "/", os.environ.get(name, "nobody"))


@pytest.fixture
def author() -> Client:
    return connect("CONTRIBUTOR")


def test_a_release_from_plan_to_download(author: Client) -> None:
    assert release(author, connect("SUPERVISOR")) == "version 1\n"


def test_the_same_key_is_the_same_run(author: Client) -> None:
    key = str(uuid.uuid4())
    first = submit(author, ONE, idempotency_key=key)
    assert submit(author, ONE, idempotency_key=key)["id"] == first["id"]


def test_a_stream_continues_behind_an_event(author: Client) -> None:
    run = submit(author, ONE)
    assert wait(author, run["id"])["status"] == "succeeded"

    def until_the_end(after: str | None) -> list[str]:
        ids = []
        for event in stream(author, run_id=run["id"], after=after):
            ids.append(event["id"])
            if event["type"] == "run.succeeded":
                return ids
        raise AssertionError("a stream has no end")

    seen = until_the_end(None)
    assert len(seen) > 2
    assert until_the_end(seen[0]) == seen[1:]


def test_a_run_that_fails_is_returned(author: Client) -> None:
    run = submit(author, {"plan": {"goal": "fail", "steps": [{"name": "a", "tool": "fail"}]}})
    assert wait(author, run["id"])["status"] == "failed"


def test_refusals_say_what_is_wrong_and_where(author: Client) -> None:
    with pytest.raises(Refused, match="/steps/0") as invalid:
        submit(author, {"plan": {"goal": "x", "steps": [{"name": "a", "tool": "noop", "needs": ["b"]}]}})
    assert invalid.value.status == 422
    unknown = str(uuid.uuid4())
    outsider = connect("NOBODY")
    attempts: list[tuple[int, Callable[[], object]]] = [
        (404, lambda: wait(author, unknown)),
        (404, lambda: download(author, unknown)),
        (401, lambda: submit(outsider, ONE)),
        (401, lambda: next(stream(outsider))),
        (403, lambda: author.post("/api/keys", {"name": "x", "role": "admin"})),
    ]
    for status, attempt in attempts:
        with pytest.raises(Refused) as refused:
            attempt()
        assert refused.value.status == status
        assert refused.value.problem and refused.value.problem["detail"]
