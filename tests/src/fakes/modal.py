"""A server of Modal's published wire (modal_proto), as far as the SDK uses it for sandboxes; the SDK itself talks to it.

A sandbox is a view of this machine by bubblewrap: its `/` is read-only but for `/tmp`, its processes are its own. Prints its address as JSON; reads faults
from standard input, a line each, which happen once: `lost-create` (a sandbox is created, the answer does not come), `busy` (a creation is
refused, RESOURCE_EXHAUSTED), `early-death` (a sandbox ends while its command runs), `cut-stream` (output breaks off; the SDK asks again from where it
was), `denied` (UNAUTHENTICATED). `state` is no fault: it prints the sandboxes that are there, and what was asked of them. Neither is an object: a sandbox as the first one
is made, with these tags.
"""

import asyncio
import base64
import contextlib
import copy
import json
import os
import shutil
import signal
import sys
import tempfile
import time
import uuid

import grpclib
from grpclib.const import Status
from grpclib.server import Server
from modal_proto import api_pb2 as api
from modal_proto import task_command_router_pb2 as router
from modal_proto.api_grpc import ModalClientBase
from modal_proto.task_command_router_grpc import TaskCommandRouterBase


def unimplemented(name):
    async def handler(self, stream):
        await stream.recv_message()
        raise grpclib.GRPCError(Status.UNIMPLEMENTED, name)

    return handler


def partial(base):
    """A base class whose methods answer UNIMPLEMENTED unless they are overridden."""
    return type(base.__name__, (base,), {name: unimplemented(name) for name in base.__abstractmethods__ or dir(base) if not name.startswith("_")})


def token():
    part = lambda value: base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
    return f"{part({'alg': 'none'})}.{part({'exp': int(time.time()) + 3600})}.x"


class Sandbox:
    def __init__(self, request):
        self.id = f"sb-{uuid.uuid4().hex}"
        self.app, self.tags, self.definition = request.app_id, list(request.tags), request.definition
        self.created_at = time.time()
        self.folder = tempfile.mkdtemp(prefix="nofx-machine-")
        self.commands = {}
        self.ended = False
        self.has_network = request.definition.network_access.network_access_type != api.NetworkAccess.BLOCKED
        asyncio.get_running_loop().call_later(request.definition.timeout_secs, self.end)

    async def start(self):
        view = ["bwrap", "--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--as-pid-1", "--die-with-parent", "--new-session"]
        view += ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/home", "--dir", "/home/user"]
        view += [] if self.has_network else ["--unshare-net"]
        view += ["--bind", self.folder, "/tmp", "--info-fd", "1", "--", "sleep", "infinity"]
        self.view = await asyncio.create_subprocess_exec(*view, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE)
        info = await self.view.stdout.readuntil(b"}")
        self.init = json.loads(info)["child-pid"]

    def end(self):
        if self.ended:
            return
        self.ended = True
        # All its other processes end with the first.
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.init, signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)


class Command:
    """A process in a sandbox, and all that it wrote."""

    def __init__(self):
        streams = (router.TASK_EXEC_STDIO_FILE_DESCRIPTOR_STDOUT, router.TASK_EXEC_STDIO_FILE_DESCRIPTOR_STDERR)
        self.out = {stream: bytearray() for stream in streams}
        self.open = len(self.out)
        self.changed = asyncio.Condition()

    async def start(self, sandbox, request):
        env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/home/user"}
        env |= {name: value for source in request.secret_sources for name, value in source.env.contents.items()}
        enter = ["/usr/bin/nsenter", "--target", str(sandbox.init), "--user", "--preserve-credentials", "--mount", "--pid", "--ipc", "--uts"]
        enter += [] if sandbox.has_network else ["--net"]
        enter += ["--", "/bin/sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", request.workdir or "/home/user"]
        self.process = await asyncio.create_subprocess_exec(
            *enter,
            *request.command_args,
            env=env,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        streams = zip(self.out, (self.process.stdout, self.process.stderr), strict=True)
        self.tasks = [asyncio.create_task(self.collect(self.out[fd], stream)) for fd, stream in streams]

    async def collect(self, out, stream):
        while data := await stream.read(64 << 10):
            async with self.changed:
                out += data
                self.changed.notify_all()
        async with self.changed:
            self.open -= 1
            self.changed.notify_all()

class Modal(partial(ModalClientBase)):
    def __init__(self):
        self.apps, self.sandboxes, self.faults, self.images, self.created = {}, {}, [], [], []
        self.url = self.first = None

    def fails(self, fault):
        if fault not in self.faults:
            return False
        self.faults.remove(fault)
        return True

    def state(self):
        alive = [box.id for box in self.sandboxes.values() if not box.ended]
        return {"alive": alive, "created": self.created, "images": self.images}

    async def ClientHello(self, stream):
        await stream.recv_message()
        await stream.send_message(api.ClientHelloResponse(image_builder_version="2025.06"))

    async def AuthTokenGet(self, stream):
        await stream.recv_message()
        await stream.send_message(api.AuthTokenGetResponse(token=token()))

    async def EnvironmentGetOrCreate(self, stream):
        await stream.recv_message()
        metadata = api.EnvironmentMetadata(name="main", settings=api.EnvironmentSettings(image_builder_version="2025.06"))
        await stream.send_message(api.EnvironmentGetOrCreateResponse(environment_id="en-1", metadata=metadata))

    async def AppGetOrCreate(self, stream):
        request = await stream.recv_message()
        app = self.apps.setdefault(request.app_name, f"ap-{len(self.apps)}")
        await stream.send_message(api.AppGetOrCreateResponse(app_id=app))

    async def ImageGetOrCreate(self, stream):
        request = await stream.recv_message()
        first = request.image.dockerfile_commands[0] if request.image.dockerfile_commands else ""
        self.images.append(first.removeprefix("FROM "))
        if "missing" in first:
            failed = api.GenericResult(status=api.GenericResult.GENERIC_STATUS_FAILURE, exception=f"{first}: there is no such image")
            await stream.send_message(api.ImageGetOrCreateResponse(image_id="im-0", result=failed))
            return
        result = api.GenericResult(status=api.GenericResult.GENERIC_STATUS_SUCCESS)
        await stream.send_message(api.ImageGetOrCreateResponse(image_id="im-1", result=result))

    async def SandboxCreateV2(self, stream):
        request = await stream.recv_message()
        if self.fails("denied"):
            raise grpclib.GRPCError(Status.UNAUTHENTICATED, "Token not found")
        if self.fails("busy"):
            raise grpclib.GRPCError(Status.RESOURCE_EXHAUSTED, "too many sandboxes")
        if self.first is None:
            self.first = request
        sandbox = await self.make(request)
        limits = request.definition
        asked = {"tags": {tag.tag_name: tag.tag_value for tag in request.tags}, "timeout_s": limits.timeout_secs}
        self.created.append(asked | {"has_network": sandbox.has_network, "memory_mb": limits.resources.memory_mb})
        if self.fails("lost-create"):
            await asyncio.sleep(3600)
        access = api.CommandRouterAccess(jwt=token(), url=self.url)
        await stream.send_message(api.SandboxCreateV2Response(sandbox_id=sandbox.id, task_id=f"ta-{sandbox.id}", command_router_access=access))

    async def make(self, request):
        sandbox = Sandbox(request)
        self.sandboxes[sandbox.id] = sandbox
        await sandbox.start()
        return sandbox

    async def make_of_others(self, tags):
        request = copy.deepcopy(self.first)
        del request.tags[:]
        for name, value in tags.items():
            request.tags.add(tag_name=name, tag_value=value)
        await self.make(request)

    def find(self, sandbox_id):
        if (sandbox := self.sandboxes.get(sandbox_id)) is None:
            raise grpclib.GRPCError(Status.NOT_FOUND, f"Sandbox {sandbox_id} not found")
        return sandbox

    async def SandboxWaitV2(self, stream):
        request = await stream.recv_message()
        sandbox = self.find(request.sandbox_id)
        result = api.GenericResult(status=api.GenericResult.GENERIC_STATUS_TERMINATED) if sandbox.ended else None
        await stream.send_message(api.SandboxWaitResponse(result=result))

    async def SandboxGetTaskIdV2(self, stream):
        request = await stream.recv_message()
        sandbox = self.find(request.sandbox_id)
        result = api.GenericResult(status=api.GenericResult.GENERIC_STATUS_TERMINATED) if sandbox.ended else None
        await stream.send_message(api.SandboxGetTaskIdResponse(task_id=f"ta-{sandbox.id}", task_result=result))

    async def SandboxGetCommandRouterAccess(self, stream):
        await stream.recv_message()
        await stream.send_message(api.SandboxGetCommandRouterAccessResponse(jwt=token(), url=self.url))

    async def SandboxTerminateV2(self, stream):
        request = await stream.recv_message()
        self.find(request.sandbox_id).end()
        await stream.send_message(api.SandboxTerminateResponse())

    async def SandboxListV2(self, stream):
        request = await stream.recv_message()
        wanted = {(tag.tag_name, tag.tag_value) for tag in request.tags}
        found = [
            api.SandboxInfo(id=box.id, created_at=box.created_at, app_id=box.app, tags=box.tags)
            for box in self.sandboxes.values()
            if not box.ended and box.app == request.app_id and wanted <= {(tag.tag_name, tag.tag_value) for tag in box.tags}
            and (not request.before_timestamp or box.created_at < request.before_timestamp)
        ]
        found.sort(key=lambda box: -box.created_at)
        await stream.send_message(api.SandboxListResponse(sandboxes=found[:2]))

    async def SandboxTagsGetV2(self, stream):
        request = await stream.recv_message()
        await stream.send_message(api.SandboxTagsGetResponse(tags=self.find(request.sandbox_id).tags))


class Router(partial(TaskCommandRouterBase)):
    def __init__(self, modal):
        self.modal = modal

    def sandbox(self, task_id):
        sandbox = self.modal.find(task_id.removeprefix("ta-"))
        if sandbox.ended:
            raise grpclib.GRPCError(Status.NOT_FOUND, "the sandbox has ended")
        return sandbox

    async def TaskExecStart(self, stream):
        request = await stream.recv_message()
        sandbox = self.sandbox(request.task_id)
        if request.exec_id not in sandbox.commands:
            command = sandbox.commands[request.exec_id] = Command()
            await command.start(sandbox, request)
            if self.modal.fails("early-death"):
                asyncio.get_running_loop().call_later(0.1, sandbox.end)
        await stream.send_message(router.TaskExecStartResponse())

    async def TaskExecStdinWrite(self, stream):
        request = await stream.recv_message()
        process = self.sandbox(request.task_id).commands[request.exec_id].process
        try:
            process.stdin.write(request.data)
            await process.stdin.drain()
            if request.eof:
                process.stdin.close()
        except (BrokenPipeError, ConnectionResetError):
            pass
        await stream.send_message(router.TaskExecStdinWriteResponse())

    async def TaskExecStdioRead(self, stream):
        request = await stream.recv_message()
        sandbox = self.sandbox(request.task_id)
        command = sandbox.commands[request.exec_id]
        out, at = command.out[request.file_descriptor], request.offset
        while True:
            async with command.changed:
                await command.changed.wait_for(lambda: len(out) > at or not command.open or sandbox.ended)
            data = bytes(out[at : at + (64 << 10)])
            if not data:
                break
            await stream.send_message(router.TaskExecStdioReadResponse(data=data))
            at += len(data)
            if self.modal.fails("cut-stream"):
                raise grpclib.GRPCError(Status.UNAVAILABLE, "the stream was cut")

    async def TaskExecWait(self, stream):
        request = await stream.recv_message()
        sandbox = self.sandbox(request.task_id)
        code = await sandbox.commands[request.exec_id].process.wait()
        answer = router.TaskExecWaitResponse(signal=-code) if code < 0 else router.TaskExecWaitResponse(code=code)
        await stream.send_message(answer)


async def main():
    modal = Modal()
    server = Server([modal, Router(modal)])
    await server.start("127.0.0.1", 0)
    modal.url = f"http://127.0.0.1:{server._server.sockets[0].getsockname()[1]}"
    print(json.dumps({"url": modal.url}), flush=True)
    loop = asyncio.get_running_loop()
    faults = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(faults), sys.stdin)
    while line := await faults.readline():
        if (word := line.decode().strip()) == "state":
            print(json.dumps(modal.state()), flush=True)
        elif word.startswith("{"):
            await modal.make_of_others(json.loads(word))
        else:
            modal.faults.append(word)
    # Whoever started it is gone.
    for sandbox in modal.sandboxes.values():
        sandbox.end()


asyncio.run(main())
