"""What the network does: a server of the test's own that ends, cuts and refuses connections."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain, repeat

import pytest
from httpx_sse import SSEError
from nofx import Client, Refused, download, stream, submit

Turn = Callable[[socket.socket], None]


@contextmanager
def against(*turns: Turn) -> Iterator[tuple[Client, list[dict[str, str]]]]:
    """A server whose connections get one turn after the other, then a refusal, and the headers of all requests."""
    seen: list[dict[str, str]] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            for turn in chain(turns, repeat(answer("418 I'm a teapot\r\nContent-Length: 0"))):
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    lines = read_head(connection)
                    seen.append({name.lower(): value for name, value in (line.split(": ", 1) for line in lines[1:])})
                    turn(connection)

        threading.Thread(target=serve, daemon=True).start()
        with Client(f"http://127.0.0.1:{server.getsockname()[1]}", "secret") as client:
            yield client, seen
        # Ends the thread.
        server.shutdown(socket.SHUT_RDWR)
    assert len(seen) == len(turns), "each turn was taken"


def read_head(connection: socket.socket) -> list[str]:
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(65536)
    return received.split(b"\r\n\r\n")[0].decode().split("\r\n")


def answer(head: str, *pieces: bytes) -> Turn:
    """Sends a response in pieces and closes the connection."""

    def turn(connection: socket.socket) -> None:
        connection.sendall(f"HTTP/1.1 {head}\r\nConnection: close\r\n\r\n".encode())
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(0.02)

    return turn


def chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


EVENTS = "200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked"


def message(number: int, goal: str) -> bytes:
    return f'id: 1-{number}\r\nevent: run.created\r\ndata: {{"id": "1-{number}", "goal": "{goal}"}}\r\n\r\n'.encode()


def test_a_stream_loses_nothing_and_doubles_nothing() -> None:
    # Cut inside a character, ended with the server's own event, refused for a moment, cut before the end of an event, closed without a
    # response.
    first = message(1, "für 日本")
    cut = first.index("本".encode()) + 1
    ended = b"event: reconnect\ndata: {}\nretry: 1\n\n"
    turns = [
        answer(EVENTS, chunk(b": connected\nretry: 1\n\n"), chunk(first[:cut]), chunk(first[cut:] + ended), b"0\r\n\r\n"),
        answer("503 Service Unavailable\r\nRetry-After: 0\r\nContent-Length: 0"),
        answer(EVENTS, chunk(message(2, "two") + b'id: 1-3\r\ndata: {"id": "half"')),
        lambda connection: None,
        answer(EVENTS, chunk(message(3, "three"))),
    ]
    with against(*turns) as (client, seen):
        goals = []
        for event in stream(client, after="1-0", run_id="a b&c"):
            goals.append(dict(event)["goal"])
            if event["id"] == "1-3":
                break
    assert goals == ["für 日本", "two", "three"]
    assert [headers.get("last-event-id") for headers in seen] == ["1-0", "1-1", "1-1", "1-2", "1-2"]


def test_what_will_not_pass_is_not_tried_again() -> None:
    with against(answer("403 Forbidden\r\nContent-Type: text/html\r\nContent-Length: 5", b"<p>no")) as (client, _):
        with pytest.raises(Refused) as refused:
            next(stream(client))
        assert (refused.value.status, refused.value.problem) == (403, None)


@pytest.mark.parametrize("head", ["200 OK\r\nContent-Type: text/html", "200 OK"])
def test_what_is_no_event_stream_will_not_become_one(head: str) -> None:
    with against(answer(f"{head}\r\nContent-Length: 10", b"<p>sign in")) as (client, _):
        with pytest.raises(SSEError, match="text/event-stream"):
            next(stream(client))


def test_a_connection_that_is_silent_is_made_again() -> None:
    def until_closed(connection: socket.socket) -> None:
        assert connection.recv(1) == b""

    def silent(connection: socket.socket) -> None:
        connection.sendall(f"HTTP/1.1 {EVENTS}\r\n\r\n".encode() + chunk(message(1, "one")))
        until_closed(connection)

    turns = [silent, until_closed, answer(EVENTS, chunk(message(2, "two")))]
    with against(*turns) as (client, seen):
        events = stream(client, after="1-0", silence_s=1)
        assert [next(events)["id"], next(events)["id"]] == ["1-1", "1-2"]
    assert [headers["last-event-id"] for headers in seen] == ["1-0", "1-1", "1-1"]


def test_a_submission_whose_response_never_arrived_is_sent_again_with_the_same_key() -> None:
    created = answer("201 Created\r\nContent-Type: application/json\r\nContent-Length: 11", b'{"id": "r"}')
    problem = b'{"type": "https://nofx.dev/problems/request-in-progress", "title": "", "detail": ""}'
    head = f"409 Conflict\r\nContent-Type: application/problem+json\r\nRetry-After: 0\r\nContent-Length: {len(problem)}"
    busy = answer("503 Service Unavailable\r\nRetry-After: 0\r\nContent-Length: 0")
    turns = [lambda connection: None, busy, answer(head, problem), created]
    with against(*turns) as (client, seen):
        assert submit(client, {})["id"] == "r"
    assert len({headers["idempotency-key"] for headers in seen}) == 1


def test_bytes_that_are_not_the_artifacts_are_not_returned() -> None:
    artifact = b'{"id": "a", "hash": "sha256:' + b"0" * 64 + b'"}'
    described = answer(f"200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(artifact)}", artifact)
    with against(described, answer("200 OK\r\nContent-Length: 11", b"other bytes")) as (client, _):
        with pytest.raises(ValueError, match="has the digest sha256:0000"):
            download(client, "a")
