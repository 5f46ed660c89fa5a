"""A TLS proxy for the sandbox, with a certificate authority that only the tests trust."""

import http.server
import ssl
import subprocess
import threading
import urllib.error
import urllib.request
from pathlib import Path


class Front:
    """An HTTPS proxy on loopback, a context manager."""

    def __init__(self, endpoint: str, folder: Path):
        self.authority = folder / "authority.pem"
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), forwarder(endpoint))
        self.endpoint = f"https://127.0.0.1:{self._server.server_port}"

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate(folder, self.authority))
        # Not in accept(): there, a client that disconnects would end the server.
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)

    def __enter__(self) -> "Front":
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        return self

    def __exit__(self, *_exception) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def certificate(folder: Path, authority: Path) -> tuple[Path, Path]:
    """Creates a certificate authority and a certificate for 127.0.0.1. Returns the files of the certificate and its key."""
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    own, key, authority_key = folder / "own.pem", folder / "own.key", folder / "authority.key"
    for command in [
        [*make, "-subj", "/CN=test authority", "-out", authority, "-keyout", authority_key],
        [*make, "-subj", "/CN=sandbox", "-out", own, "-keyout", key, "-CA", authority, "-CAkey", authority_key]
        + ["-addext", "basicConstraints=critical,CA:FALSE", "-addext", "subjectAltName=IP:127.0.0.1"],
    ]:
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True)
    return own, key


def forwarder(endpoint: str):
    class Forwarder(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            # Keeps the client's Host header, which is signed.
            request = urllib.request.Request(endpoint, body, dict(self.headers))
            try:
                answer = urllib.request.urlopen(request, timeout=30)
            except urllib.error.HTTPError as refusal:
                answer = refusal
            with answer:
                text = answer.read()
            self.send_response(answer.status)
            for name in ("Content-Type", "x-amzn-RequestId"):
                self.send_header(name, answer.headers[name])
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_arguments):
            pass

    class Quiet(Forwarder):
        def handle(self):
            try:
                super().handle()
            except (ssl.SSLError, ConnectionError):
                pass  # A client that does not trust the certificate disconnects.

    return Quiet
