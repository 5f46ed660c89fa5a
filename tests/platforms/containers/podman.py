"""Runs containers for the tests with podman, in the storage that the environment configures. Removes what it starts."""

import os
import subprocess
import unittest
from pathlib import Path

from leaks import leaks
from loopback import Sandbox

ROOT = Path(__file__).resolve().parents[3]
# Longer than any machine needs; reached only when a test fails.
PATIENCE = 120


def podman(*arguments: str | Path, stdin: str = "", env: dict[str, str] | None = None, check: bool = True):
    """Runs podman to completion and returns its output."""
    done = subprocess.run(
        ["podman", *map(str, arguments)],
        input=stdin,
        env=os.environ | (env or {}),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    if check and done.returncode:
        raise RuntimeError(f"podman {arguments[0]}: {done.stderr}")
    return done


def fetch(folder: Path, package: str) -> Path:
    """Unpacks a Debian package and returns the directory."""
    architecture = ContainerTest.image.rpartition("-")[2]
    subprocess.run([ROOT / "container/fetch", folder, architecture, package], check=True, stdin=subprocess.DEVNULL)
    return folder / package


class Ran:
    """Result of a container: its exit status, everything it printed or exposed, and what podman showed of it."""

    def __init__(self, status: int, out: str, err: str, inspect: str, shown: str):
        self.status = status
        self.out = out
        self.err = err
        self.inspect = inspect
        self.shown = shown

    def outputs(self) -> dict[str, str]:
        return dict(line.split("=", 1) for line in self.out.splitlines())


class ContainerTest(unittest.TestCase):
    """Base class of tests that run containers on the host network against their own sandbox."""

    # Set by `run`.
    image: str
    context: Path
    sandbox_program: Path

    @classmethod
    def setUpClass(cls):
        cls.sandbox = cls.enterClassContext(Sandbox(cls.sandbox_program))

    def run_container(self, *command: str, image: str = "", options=(), env=None, stdin: str = "") -> Ran:
        """Runs an image as CI systems do: environment passed by name, standard input open.

        Values are never on podman's command line, which every process can read.
        """
        env = self.sandbox.environment | (env or {})
        names = [option for name in env for option in ("--env", name)]
        created = podman(
            *("create", "--pull", "never", "--interactive", "--network", "host", *names, *options),
            *(image or self.image, *command),
            env=env,
        )
        container = created.stdout.strip()
        self.addCleanup(podman, "rm", "--force", container)
        done = podman("start", "--attach", "--interactive", container, stdin=stdin, check=False)
        inspect = podman("inspect", container).stdout
        # From the log: if the container exits before it reads standard input, `podman start` may end before it has the output.
        logs = podman("logs", container)
        return Ran(done.returncode, logs.stdout, logs.stderr, inspect, done.stdout + done.stderr)

    def stored(self, name: str) -> str:
        return self.sandbox.call("GetSecretValue", SecretId=name)["SecretString"]

    def assert_hidden(self, secret: str, *texts: str):
        for text in texts:
            self.assertEqual(leaks(secret, text), [], text)
