"""Runs the sandbox as a child process, for the platform tests and the benchmarks.

Owns the process and stops it; knows nothing about the tests.
"""

import json
import subprocess
import urllib.request
from pathlib import Path


class Sandbox:
    """AWS Secrets Manager on loopback, a context manager."""

    # Additional command-line options of a subclass.
    OPTIONS: tuple[str, ...] = ()

    def __init__(self, program: Path):
        self._program = program
        # The environment variables that a client of the sandbox needs.
        self.environment: dict[str, str] = {}
        self.endpoint = ""

    def __enter__(self) -> "Sandbox":
        self._process = subprocess.Popen(
            [self._program, "--port", "0", *self.OPTIONS], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
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
        """Reads the endpoint, then the environment variables. Reading blocks until the sandbox is ready."""
        self.endpoint = self._process.stdout.readline().strip()
        if not self.endpoint.startswith("http://127.0.0.1:"):
            raise RuntimeError(f"the sandbox did not print its endpoint: {self.endpoint!r}")
        while "AWS_SECRET_ACCESS_KEY" not in self.environment:
            name, separator, value = self._process.stdout.readline().strip().partition("=")
            if not separator:
                raise RuntimeError(f"the sandbox did not print its environment: {name!r}")
            self.environment[name] = value

    def log(self) -> list[dict]:
        """The logged requests, oldest first."""
        with urllib.request.urlopen(f"{self.endpoint}/_sandbox/log", timeout=10) as answer:
            return [json.loads(line) for line in answer]

    def secrets(self) -> dict[str, dict]:
        """The stored secrets, without values."""
        with urllib.request.urlopen(f"{self.endpoint}/_sandbox/secrets", timeout=10) as answer:
            return json.load(answer)

    def curl(self, operation: str, body: dict) -> list[str]:
        """Arguments that make curl send a signed request."""
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
            self.endpoint,
        ]

    def call(self, operation: str, **body) -> dict:
        """Sends a request and returns the response."""
        # -q: ignore the user's curl configuration.
        command = ["curl", "-q", *self.curl(operation, body)]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False)
        if done.returncode:
            raise RuntimeError(f"{operation}: {done.stdout}{done.stderr}")
        return json.loads(done.stdout)


class CiSandbox(Sandbox):
    """A sandbox with the roles from the documentation, which a GitHub job and a GitLab job may assume.

    Tokens of other CI systems differ from GitLab's only in claims that the roles do not check.
    """

    # The example jobs have a deployment environment, which replaces the branch in GitHub's subject claim.
    TRUST = (
        *("--trust-github", "repo:acme/models:environment:production"),
        *("--trust-gitlab", "project_path:acme/models:ref_type:branch:ref:main"),
    )
    OPTIONS = (
        *("--role", "arn:aws:iam::111122223333:role/store-api-key", *TRUST),
        *("--role", "arn:aws:iam::111122223333:role/store-secrets", *TRUST),
        *("--github-job", "repo:acme/models:environment:production"),
        *("--gitlab-job", "project_path:acme/models:ref_type:branch:ref:main"),
        *("--gitlab-audience", "sts.amazonaws.com"),
    )

    def _read_announcement(self) -> None:
        super()._read_announcement()
        # The variables of a GitHub job with `id-token: write`, and the token of any other job.
        self.github = {}
        self.token = ""
        while not self.token:
            name, _, value = self._process.stdout.readline().strip().partition("=")
            if name == "GITLAB_OIDC_TOKEN":
                self.token = value
            elif name.startswith("ACTIONS_"):
                self.github[name] = value
            else:
                raise RuntimeError(f"the sandbox did not print its tokens: {name!r}")

    def keyless(self) -> dict[str, str]:
        """The environment without access keys, so that a job must assume a role."""
        return {name: value for name, value in self.environment.items() if "KEY" not in name}

    def sessions(self) -> list[str]:
        """Role sessions that called the sandbox, without repetition."""
        callers = [str(entry.get("caller")) for entry in self.log()]
        return list(dict.fromkeys(caller for caller in callers if ":assumed-role/" in caller))
