"""What a hostile program tries, each attempt in a process of its own. Prints an object: the name of the attempt, and `done` or the error."""
import ctypes, errno, json, os, platform, resource, signal, socket, struct, sys

about = json.loads(os.environ["ABOUT"])
# The last one is that of the folder itself.
inherited = [number for number in map(int, os.listdir("/proc/self/fd")) if number > 2 and os.path.exists(f"/proc/self/fd/{number}")]
libc = ctypes.CDLL(None, use_errno=True)
is_x86 = platform.machine() == "x86_64"


def call(x86, arm, *arguments):
    number = x86 if is_x86 else arm
    words = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
    words += [ctypes.c_long(0)] * (6 - len(words))
    if libc.syscall(ctypes.c_long(number), *words) < 0:
        raise OSError(ctypes.get_errno(), "")


def touch(path):
    with open(path, "w") as file:
        file.write("x")


def connect(family, address, kind=socket.SOCK_STREAM, protocol=0):
    with socket.socket(family, kind, protocol) as one:
        one.settimeout(5)
        one.connect(address)


def send_at_once(port):
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as one:
        one.settimeout(5)
        one.sendto(b"x", socket.MSG_FASTOPEN, ("127.0.0.1", port))


def send_message_at_once(port):
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as one:
        one.settimeout(5)
        one.sendmsg([b"x"], [], socket.MSG_FASTOPEN, ("127.0.0.1", port))


def send_messages_at_once(port):
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as one:
        address = ctypes.create_string_buffer(struct.pack("=HH4s8x", socket.AF_INET, socket.htons(port), socket.inet_aton("127.0.0.1")))
        data = ctypes.create_string_buffer(b"x")
        vector = ctypes.create_string_buffer(struct.pack("PL", ctypes.addressof(data), 1))
        # A message header, and how much of it was sent.
        header = struct.pack("PIxxxxPLPLixxxxIxxxx", ctypes.addressof(address), 16, ctypes.addressof(vector), 1, 0, 0, 0, 0)
        call(307, 269, one.fileno(), ctypes.create_string_buffer(header), 1, socket.MSG_FASTOPEN)


def own_socket():
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as one:
        one.bind("socket")
        one.listen()
        connect(socket.AF_UNIX, "socket")


def put_on_top_of_tcp():
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as one:
        one.setsockopt(socket.IPPROTO_TCP, 31, b"tls")


def listen(port):
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as one:
        one.bind(("127.0.0.1", port))
        one.listen()


def read(path):
    with open(path, "rb") as file:
        return file.read(1)


def read_nothing(path):
    with open(path, "rb", buffering=0) as file:
        return file.read(0)


def overwrite_memory(pid):
    with open(f"/proc/{pid}/maps") as maps:
        address = next(int(line.split("-")[0], 16) for line in maps if " rw-p " in line)
    with open(f"/proc/{pid}/mem", "r+b", buffering=0) as memory:
        memory.seek(address)
        memory.write(memory.read(0))


def raise_limit():
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (1, 1))
    except ValueError:
        raise PermissionError(errno.EPERM, "") from None


NEW_USER, NEW_NET, CHILD = 0x10000000, 0x40000000, signal.SIGCHLD
text = ctypes.c_char_p
attempts = {
    "read a file of the system": lambda: read("/etc/passwd"),
    "read the passwords": lambda: read("/etc/shadow"),
    "read a private file": lambda: read(about["private"]),
    "read a public file outside": lambda: read(about["public"]),
    "list a folder outside": lambda: os.listdir(about["outside"]),
    "write outside": lambda: touch(about["outside"] + "/written"),
    "truncate a file outside": lambda: os.truncate(about["public"], 0),
    "link a file from outside": lambda: os.link(about["public"], "linked"),
    "move a folder outside": lambda: (os.mkdir("moved"), os.rename("moved", about["outside"] + "/moved")),
    "write to the system": lambda: touch("/usr/written"),
    "write to a toolchain": lambda: touch(about["toolchain"] + "/written"),
    "write to a folder that is read-only by rule": lambda: touch(about["read_only"] + "/written"),
    "write to the workspace": lambda: touch("written"),
    "write to the scratch folder": lambda: touch(os.environ["TMPDIR"] + "/written"),
    "write to shared memory": lambda: touch("/dev/shm/written-by-%d" % os.getuid()),
    "make a device": lambda: os.mknod("device", 0o20666, os.makedev(1, 3)),
    "read the disk": lambda: read("/dev/vda"),
    "open the terminal": lambda: read("/dev/tty"),
    "read the parent's environment": lambda: read(f"/proc/{about['parent']}/environ"),
    "open the parent's memory": lambda: read_nothing(f"/proc/{about['parent']}/mem"),
    "list the parent's descriptors": lambda: os.listdir(f"/proc/{about['parent']}/fd"),
    "see the parent's command line": lambda: read(f"/proc/{about['parent']}/cmdline"),
    "read a neighbour's environment": lambda: read(f"/proc/{about['neighbour']}/environ"),
    "open a neighbour's memory": lambda: read_nothing(f"/proc/{about['neighbour']}/mem"),
    "follow a neighbour's descriptor": lambda: os.readlink(f"/proc/{about['neighbour']}/fd/0"),
    "write a neighbour's memory": lambda: overwrite_memory(about["neighbour"]),
    "signal the parent": lambda: os.kill(about["parent"], 0),
    "signal a neighbour": lambda: os.kill(about["neighbour"], 0),
    "signal one's own process": lambda: os.kill(os.getppid(), 0),
    "trace a neighbour": lambda: call(101, 117, 16, about["neighbour"]),
    "read a neighbour's memory": lambda: call(310, 270, about["neighbour"]),
    "connect to a service of this host": lambda: connect(socket.AF_INET, ("127.0.0.1", about["service"])),
    "connect to it as IPv6": lambda: connect(socket.AF_INET6, ("::ffff:127.0.0.1", about["service"])),
    "connect to the proxy": lambda: connect(socket.AF_INET, ("127.0.0.1", about["proxy"])),
    "connect to the metadata service": lambda: connect(socket.AF_INET, ("169.254.169.254", 80)),
    "connect to the metadata of a task": lambda: connect(socket.AF_INET, ("169.254.170.2", 80)),
    "connect by sending": lambda: send_at_once(about["service"]),
    "connect by sending a message": lambda: send_message_at_once(about["service"]),
    "connect by sending messages": lambda: send_messages_at_once(about["service"]),
    "another protocol on top of TCP": put_on_top_of_tcp,
    "listen on a port that is free": lambda: listen(0),
    "listen on a port of choice": lambda: listen(about["free"]),
    "multipath TCP": lambda: connect(socket.AF_INET, ("127.0.0.1", about["service"]), protocol=262),
    "UDP": lambda: connect(socket.AF_INET, ("127.0.0.1", 53), socket.SOCK_DGRAM),
    "UDP of IPv6": lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM),
    "raw socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1),
    "ping socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM, 1),
    "packet socket": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW),
    "netlink socket": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0),
    "vsock": lambda: socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM),
    "crypto socket": lambda: socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET),
    "socket pair": lambda: socket.socketpair(),
    "abstract socket": lambda: connect(socket.AF_UNIX, "\0" + about["abstract"]),
    "socket of another user in the file system": lambda: connect(socket.AF_UNIX, about["socket"]),
    "socket of one's own in the file system": own_socket,
    "mount": lambda: call(165, 40, text(b"none"), text(b"/tmp"), text(b"tmpfs")),
    "unmount": lambda: call(166, 39, text(b"/proc")),
    "new mount interface": lambda: call(430, 430, text(b"tmpfs")),
    "change the root": lambda: os.chroot("."),
    "new user namespace": lambda: call(272, 97, NEW_USER),
    "clone into a user namespace": lambda: call(56, 220, NEW_USER | CHILD),
    "clone into a network namespace": lambda: call(56, 220, NEW_NET | CHILD),
    "clone3": lambda: call(435, 435, 0, 0),
    "enter a namespace": lambda: call(308, 268, os.open("/proc/self/ns/user", os.O_RDONLY)),
    "bpf": lambda: call(321, 280),
    "kernel's keys": lambda: call(250, 219, 0, -3),
    "add a key": lambda: call(248, 217, text(b"user"), text(b"x"), text(b"y"), 1, -3),
    "io_uring": lambda: call(425, 425, 1, ctypes.create_string_buffer(256)),
    "userfaultfd": lambda: call(323, 282, 1),
    "performance counters": lambda: call(298, 241),
    "open by handle": lambda: call(304, 265),
    "load a module": lambda: call(313, 273),
    "new kernel": lambda: call(246, 104),
    "file without a name in memory": lambda: call(319, 279, text(b"x"), 0),
    "memory that outlives a process": lambda: call(29, 194, 0, 4096, 0o1600),
    "executable data": lambda: call(135, 92, 0x0400000),
    "a number that no kernel has": lambda: call(1000, 1000),
    "a number of x32": lambda: call(0x40000000 + 39, 1001),
    "put text into a terminal": lambda: call(16, 29, 0, 0x5412, ctypes.create_string_buffer(b"x")),
    "turn core files on": raise_limit,
    "become root": lambda: os.setuid(0),
    "use an inherited descriptor": lambda: os.fstat(inherited[0] if inherited else -1),
}


def outcome(attempt):
    """In a process of its own: a success may not change what the next attempt finds."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            attempt()
            found = "done"
        except OSError as error:
            found = errno.errorcode.get(error.errno, str(error))
        except Exception as error:
            found = repr(error)
        os.write(writer, found.encode())
        os._exit(0)
    os.close(writer)
    found = os.read(reader, 1000).decode()
    os.waitpid(child, 0)
    return found or "ended"


print(json.dumps({name: outcome(attempt) for name, attempt in attempts.items()}))
