"""The sandbox as a child process, for the platform tests and the benchmark.

It owns the process and stops it; it knows nothing of what is tested.
"""

import json
import subprocess
import urllib.request
from pathlib import Path


class Sandbox:
    """A loopback AWS Secrets Manager, from `with` to the end of the block."""

    # What a subclass has besides.
    OPTIONS: tuple[str, ...] = ()

    def __init__(self, program: Path):
        self._program = program
        # What a client of the sandbox needs in its environment.
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
        """The first line is the endpoint, the lines after it the environment. Reading them is how we wait for it."""
        self.endpoint = self._process.stdout.readline().strip()
        if not self.endpoint.startswith("http://127.0.0.1:"):
            raise RuntimeError(f"the sandbox did not say where it listens: {self.endpoint!r}")
        while "AWS_SECRET_ACCESS_KEY" not in self.environment:
            name, separator, value = self._process.stdout.readline().strip().partition("=")
            if not separator:
                raise RuntimeError(f"the sandbox did not give its environment: {name!r}")
            self.environment[name] = value

    def log(self) -> list[dict]:
        """The requests so far, oldest first."""
        with urllib.request.urlopen(f"{self.endpoint}/_sandbox/log", timeout=10) as answer:
            return [json.loads(line) for line in answer]

    def secrets(self) -> dict[str, dict]:
        """What is stored, without values."""
        with urllib.request.urlopen(f"{self.endpoint}/_sandbox/secrets", timeout=10) as answer:
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
            self.endpoint,
        ]

    def call(self, operation: str, **body) -> dict:
        """Makes a request and returns the answer."""
        # -q: not with the options of whoever runs this.
        command = ["curl", "-q", *self.curl(operation, body)]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False)
        if done.returncode:
            raise RuntimeError(f"{operation}: {done.stdout}{done.stderr}")
        return json.loads(done.stdout)


class CiSandbox(Sandbox):
    """A sandbox with the roles of the pages' examples, which a GitHub job and a GitLab job may assume.

    The tokens of other CI systems differ from GitLab's in claims that nothing here looks at.
    """

    # The jobs of the examples have an environment, which takes the place of the branch at GitHub.
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
        # What GitHub hands to a job that may ask for a token, and the token of any other job.
        self.github = {}
        self.token = ""
        while not self.token:
            name, _, value = self._process.stdout.readline().strip().partition("=")
            if name == "GITLAB_OIDC_TOKEN":
                self.token = value
            elif name.startswith("ACTIONS_"):
                self.github[name] = value
            else:
                raise RuntimeError(f"the sandbox did not give its tokens: {name!r}")

    def keyless(self) -> dict[str, str]:
        """The environment without a key: a role is the only way in."""
        return {name: value for name, value in self.environment.items() if "KEY" not in name}

    def sessions(self) -> list[str]:
        """Who called, other than by the key of the environment: role and session, without repetition."""
        callers = [str(entry.get("caller")) for entry in self.log()]
        return list(dict.fromkeys(caller for caller in callers if ":assumed-role/" in caller))
