"""The sandbox as a child process, for the platform tests and the benchmark.

It owns the process and stops it; it knows nothing of what is tested.
"""

import json
import re
import subprocess
import urllib.request
from pathlib import Path


class Sandbox:
    """A loopback AWS Secrets Manager, from `with` to the end of the block."""

    def __init__(self, program: Path):
        self._program = program
        # What a client of the sandbox needs in its environment.
        self.environment: dict[str, str] = {}
        self.endpoint = ""

    def __enter__(self) -> "Sandbox":
        self._process = subprocess.Popen(
            [self._program, "--port", "0"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
        )
        try:
            self._read_announcement()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_exception) -> None:
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()

    def _read_announcement(self) -> None:
        """The first line has the endpoint, the lines after it the environment. Reading them is how we wait for it."""
        first = self._process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+", first)
        if not found:
            raise RuntimeError(f"the sandbox did not say where it listens: {first!r}")
        self.endpoint = found[0]
        wanted = {"AWS_ENDPOINT_URL_SECRETS_MANAGER", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"}
        while wanted - self.environment.keys():
            line = self._process.stdout.readline()
            found = re.fullmatch(r"(?:export )?([A-Z][A-Z0-9_]*)=(.*)\n", line)
            if not found:
                raise RuntimeError(f"the sandbox did not give {wanted - self.environment.keys()}: {line!r}")
            self.environment[found[1]] = found[2].strip("'\"")

    def log(self) -> list[dict]:
        """The requests it has answered."""
        with urllib.request.urlopen(f"{self.endpoint}/_sandbox/log", timeout=10) as answer:
            return json.load(answer)

    def curl(self, operation: str, body: dict) -> list[str]:
        """The arguments with which curl makes a signed request."""
        environment = self.environment
        return [
            "--silent",
            "--show-error",
            "--fail-with-body",
            "--aws-sigv4",
            f"aws:amz:{environment['AWS_REGION']}:secretsmanager",
            "--user",
            f"{environment['AWS_ACCESS_KEY_ID']}:{environment['AWS_SECRET_ACCESS_KEY']}",
            "--header",
            f"X-Amz-Target: secretsmanager.{operation}",
            "--header",
            "Content-Type: application/x-amz-json-1.1",
            "--data-binary",
            json.dumps(body),
            environment["AWS_ENDPOINT_URL_SECRETS_MANAGER"],
        ]

    def call(self, operation: str, **body) -> dict:
        """Makes a request and returns the answer."""
        # -q: not with the options of whoever runs this.
        command = ["curl", "-q", *self.curl(operation, body)]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False)
        if done.returncode:
            raise RuntimeError(f"{operation}: {done.stdout}{done.stderr}")
        return json.loads(done.stdout)
