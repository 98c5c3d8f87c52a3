"""A host of git repositories over HTTPS: `git http-backend` behind Python's server. Needs no token to read; to push it does. Writes a line for
each request: method, path, and the value of `Authorization`. `/moved/…` redirects to the address of the fourth argument.

Arguments: the certificate with its key, the folder of the repositories, the log, an address to redirect to. Prints its port."""
import http.server, os, ssl, subprocess, sys

certificate, root, log, elsewhere = sys.argv[1:]


class Host(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def serve(self):
        authorization = self.headers.get("Authorization", "-")
        with open(log, "a") as file:
            file.write(f"{self.command} {self.path} {authorization}\n")
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        path, _, query = self.path.partition("?")
        if path.startswith("/moved/"):
            return self.answer(302, [("Location", elsewhere + self.path.removeprefix("/moved"))], b"")
        if "receive-pack" in self.path and authorization == "-":
            return self.answer(401, [("WWW-Authenticate", 'Basic realm="git"')], b"")
        environment = {
            "PATH": os.environ["PATH"], "GIT_PROJECT_ROOT": root, "GIT_HTTP_EXPORT_ALL": "1", "REQUEST_METHOD": self.command, "PATH_INFO": path,
            "QUERY_STRING": query, "CONTENT_TYPE": self.headers.get("Content-Type", ""), "CONTENT_LENGTH": str(length), "REMOTE_USER": "somebody",
            "REMOTE_ADDR": "127.0.0.1", "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""), "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*",
        }
        result = subprocess.run(["git", "http-backend"], input=body, env=environment, capture_output=True).stdout
        head, _, content = result.partition(b"\r\n\r\n")
        headers = [tuple(line.split(": ", 1)) for line in head.decode().split("\r\n") if line]
        status = next((int(value.split()[0]) for name, value in headers if name == "Status"), 200)
        self.answer(status, [(name, value) for name, value in headers if name != "Status"], content)

    def answer(self, status, headers, content):
        self.send_response(status)
        for name, value in [*headers, ("Content-Length", str(len(content)))]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_CONNECT = serve

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Host)
if certificate != "-":
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
print(server.server_address[1], flush=True)
server.serve_forever()
