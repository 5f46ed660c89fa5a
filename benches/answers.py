"""A stub of Secrets Manager on loopback that returns the responses a benchmark chooses. Ignores signatures and keeps no state."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# The only secret in `holding`.
NAME = "bench/hostile"
ARN = f"arn:aws:secretsmanager:eu-west-1:111122223333:secret:{NAME}-AbCdEf"
VERSION = "11111111-2222-4333-8444-555555555555"
ABSENT = {"code": "ResourceNotFoundException", "message": "Secrets Manager can't find the specified secret."}
KEYS = {
    "AWS_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
}
# The longest request contains the longest value, escaped.
MAX_REQUEST = 1024 * 1024

# Returns the status and body of a response to an operation and its request.
Answers = Callable[[str, dict], tuple[int, bytes]]


@contextmanager
def server(answers: Answers) -> Iterator[dict[str, str]]:
    """Serves the responses of `answers` on loopback. Yields the environment variables that a client needs."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = min(int(self.headers.get("Content-Length", "0")), MAX_REQUEST)
            request = json.loads(self.rfile.read(length) or "{}")
            status, body = answers(self.headers.get("X-Amz-Target", "").rpartition(".")[2], request)
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/x-amz-json-1.1")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except ConnectionError:
                # The client may have disconnected.
                self.close_connection = True

        def log_message(self, *_arguments) -> None:
            pass

    class Server(ThreadingHTTPServer):
        # A killed run must not keep the benchmark from exiting.
        daemon_threads = True
        block_on_close = False

    with Server(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        host, port = listening.server_address
        endpoint = f"http://{host}:{port}"
        try:
            yield KEYS | {"AWS_ENDPOINT_URL_SECRETS_MANAGER": endpoint, "AWS_ENDPOINT_URL_STS": endpoint}
        finally:
            listening.shutdown()


def error(code: str, message: str) -> bytes:
    return json.dumps({"__type": code, "Message": message}).encode()


def rejecting(message: str) -> Answers:
    """Responses of an account in which no secret exists and none can be created."""
    rejection, absent = error("AccessDeniedException", message), error(**ABSENT)

    def answer(operation: str, request: dict) -> tuple[int, bytes]:
        if operation == "BatchGetSecretValue":
            missing = [
                {"SecretId": name, "ErrorCode": ABSENT["code"], "Message": ABSENT["message"]}
                for name in request.get("SecretIdList", [])
            ]
            return 200, json.dumps({"SecretValues": [], "Errors": missing}).encode()
        return 400, rejection if operation == "CreateSecret" else absent

    return answer


def holding(value: str) -> Answers:
    """Responses of an account with one secret, which has this value."""
    metadata = {"ARN": ARN, "Name": NAME}
    described = metadata | {"VersionIdsToStages": {VERSION: ["AWSCURRENT"]}}
    current = metadata | {"VersionId": VERSION, "SecretString": value, "VersionStages": ["AWSCURRENT"], "CreatedDate": 1.5e9}
    bodies = {"DescribeSecret": json.dumps(described).encode(), "GetSecretValue": json.dumps(current).encode()}

    def answer(operation: str, _request: dict) -> tuple[int, bytes]:
        body = bodies.get(operation)
        return (200, body) if body else (400, error("AccessDeniedException", "not in this bench"))

    return answer
