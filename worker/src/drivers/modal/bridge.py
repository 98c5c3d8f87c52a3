"""Speaks to Modal for a worker, which has no client of its own: Modal's wire is private to its SDKs.

JSON lines. The first is the account: {"token_id": …, "token_secret": …}. Then requests on standard input and answers on standard output; each
request has an id, which its answers repeat.

    {"id": 1, "op": "create", "app": …, "image": …, "tags": {…}, "lifetime_s": …, "cpu": …, "memory_mb": …, "block_network": …}
        -> {"id": 1, "done": {"sandbox": "sb-…"}}
    {"id": 2, "op": "exec", "sandbox": …, "argv": […], "dir": …, "env": {…}, "timeout_s": …}
        <- {"id": 2, "stdin": "base64"}, {"id": 2, "stdin": null} at its end; each is answered by {"id": 2, "ack": null}
            -> {"id": 2, "stdout": "base64"}, {"id": 2, "stderr": "base64"}; the next of it follows {"id": 2, "ack": "stdout"}
        -> {"id": 2, "done": {"exit_code": …}}
    {"id": 3, "op": "terminate", "sandbox": …} -> {"id": 3, "done": {}}; one that is gone is no error
    {"id": 4, "op": "list", "app": …, "tags": {…}} -> {"id": 4, "done": {"sandboxes": [{"sandbox": …, "tags": {…}}, …]}}

An answer {"id": …, "error": {"kind": …, "message": …}} ends a request, {"id": …, "op": "cancel"} drops it. It ends with its
standard input.
"""

import ctypes
import json
import os
import sys

# Nobody reads its memory, and it leaves no core file (PR_SET_DUMPABLE): it has a token.
if ctypes.CDLL(None, use_errno=True).prctl(4, 0, 0, 0, 0) != 0:
    sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")


def first_line():
    """Byte by byte, so that what follows stays in the pipe."""
    line = b""
    while (byte := os.read(0, 1)) not in (b"", b"\n"):
        line += byte
    return line


account = json.loads(first_line())
# Where the SDK looks when it is imported. What a process sets itself is not in `/proc/<id>/environ`.
os.environ.update(MODAL_TOKEN_ID=account["token_id"], MODAL_TOKEN_SECRET=account["token_secret"])

import asyncio  # noqa: E402
import base64  # noqa: E402

import modal  # noqa: E402

# Of one message; several are never under way for one stream.
CHUNK_BYTES = 256 << 10
LINE_BYTES = 4 << 20

# What a failure means: nothing has happened, the sandbox is gone, it cannot succeed. All others say nothing.
KINDS = {
    "busy": (modal.exception.ResourceExhaustedError,),
    "gone": (
        modal.exception.NotFoundError,
        modal.exception.ConflictError,
        modal.exception.SandboxTerminatedError,
        modal.exception.SandboxTimeoutError,
    ),
    "refused": (
        modal.exception.AuthError,
        modal.exception.InvalidError,
        modal.exception.PermissionDeniedError,
        modal.exception.RemoteError,
        modal.exception.VersionError,
    ),
}


def kind(error):
    return next((kind for kind, classes in KINDS.items() if isinstance(error, classes)), "unavailable")


class Request:
    """One request: what it sends, and what is sent to it later."""

    def __init__(self, bridge, message):
        self.bridge = bridge
        self.id = message["id"]
        self.message = message
        self.stdin = asyncio.Queue()
        self.acks = {"stdout": asyncio.Event(), "stderr": asyncio.Event()}

        self.task = None

    def answer(self, **fields):
        self.bridge.write({"id": self.id, **fields})

    async def send(self, stream, data):
        """Sends output, and waits until it was taken: what nobody reads stays at Modal."""
        for at in range(0, len(data), CHUNK_BYTES):
            self.acks[stream].clear()
            self.answer(**{stream: base64.b64encode(data[at : at + CHUNK_BYTES]).decode()})
            await self.acks[stream].wait()


async def create(request):
    asked = request.message
    app = await modal.App.lookup.aio(asked["app"], create_if_missing=True)
    image = modal.Image.from_registry(asked["image"]) if asked.get("image") else modal.Image.debian_slim()
    # Commands are run in it later; `sleep` holds it until its lifetime ends.
    sandbox = await modal.Sandbox.create.aio(
        "sleep",
        str(asked["lifetime_s"]),
        app=app,
        image=image,
        tags=asked["tags"],
        timeout=asked["lifetime_s"],
        cpu=asked.get("cpu"),
        memory=asked.get("memory_mb"),
        block_network=asked["block_network"],
    )
    return {"sandbox": sandbox.object_id}


async def execute(request):
    asked = request.message
    sandbox = await modal.Sandbox.from_id.aio(asked["sandbox"])
    process = await sandbox.exec.aio(
        *asked["argv"], workdir=asked.get("dir"), env=asked.get("env") or {}, timeout=asked.get("timeout_s"), text=False
    )

    async def pump(name, stream):
        async for chunk in stream:
            await request.send(name, chunk)

    async def feed():
        while (data := await request.stdin.get()) is not None:
            process.stdin.write(base64.b64decode(data))
            await process.stdin.drain.aio()
            request.answer(ack=None)
        process.stdin.write_eof()
        await process.stdin.drain.aio()
        request.answer(ack=None)

    feeding = asyncio.create_task(feed())
    try:
        await asyncio.gather(pump("stdout", process.stdout), pump("stderr", process.stderr))
        return {"exit_code": await process.wait.aio()}
    finally:
        feeding.cancel()


async def terminate(request):
    try:
        sandbox = await modal.Sandbox.from_id.aio(request.message["sandbox"])
        await sandbox.terminate.aio()
    except modal.exception.NotFoundError:
        pass
    return {}


async def list_all(request):
    app = await modal.App.lookup.aio(request.message["app"], create_if_missing=True)
    found = [sandbox async for sandbox in modal.Sandbox.list.aio(app_id=app.app_id, tags=request.message["tags"])]
    tags = await asyncio.gather(*(sandbox.get_tags.aio() for sandbox in found))
    return {"sandboxes": [{"sandbox": sandbox.object_id, "tags": own} for sandbox, own in zip(found, tags)]}


OPERATIONS = {"create": create, "exec": execute, "terminate": terminate, "list": list_all}


class Bridge:
    def __init__(self):
        self.requests = {}

    def write(self, message):
        sys.stdout.buffer.write(json.dumps(message).encode() + b"\n")
        sys.stdout.buffer.flush()

    async def run(self, request):
        try:
            request.answer(done=await OPERATIONS[request.message["op"]](request))
        except asyncio.CancelledError:
            pass
        except Exception as error:
            message = f"{type(error).__name__}: {error}"[:2000]
            request.answer(error={"kind": kind(error), "message": message})
        finally:
            del self.requests[request.id]

    async def line(self, reader):
        """The next line that is not too long: one request of one step must not end those of others."""
        while True:
            try:
                return await reader.readline()
            except ValueError:
                # It is left out, and its request takes too long.
                continue

    async def serve(self):
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=LINE_BYTES)
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while line := await self.line(reader):
            message = json.loads(line)
            request = self.requests.get(message["id"])
            if message.get("op") == "cancel":
                if request:
                    request.task.cancel()
            elif "op" in message:
                request = self.requests[message["id"]] = Request(self, message)
                request.task = asyncio.create_task(self.run(request))
            elif request and "stdin" in message:
                request.stdin.put_nowait(message["stdin"])
            elif request and "ack" in message:
                request.acks[message["ack"]].set()


asyncio.run(Bridge().serve())
