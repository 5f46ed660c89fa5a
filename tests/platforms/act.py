"""Runs GitHub workflows with act. Owns act's command line and environment; the tests decide what a workflow must do.

Masking is off (`--insecure-secrets`), because act may mask what a real runner would not.
"""

import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from leaks import leaks
from loopback import CiSandbox

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
OURS = "upsert-secret/upsert-secret"


class Run:
    """Result of a workflow run: its log, and the files that its steps wrote."""

    def __init__(self, status: int, messages: list[str], reports: Path):
        self.status = status
        self.log = "\n".join(messages)
        self._reports = {path.name: path.read_text() for path in reports.iterdir()}

    def text(self, name: str) -> str:
        return self._reports[name]

    def outputs(self, name: str) -> dict[str, str]:
        return json.loads(self._reports[name])

    def everything(self) -> str:
        return "\n".join([self.log, *self._reports.values()])


class ActTest(unittest.TestCase):
    """Base class of tests that run workflows against their own sandbox."""

    # Set by `run`.
    binary: Path
    sandbox_program: Path

    # act's options and extra environment variables that select where jobs run. By default, they run on this machine.
    where: list[str] = ["--platform", "ubuntu-latest=-self-hosted"]
    surroundings: dict[str, str] = {}

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)
        cls.sandbox = cls.enterClassContext(CiSandbox(cls.sandbox_program))

        cls.tree = assembled(cls.binary, cls.folder)

        # act requires a Git repository.
        cls.checkout = cls.folder / "checkout"
        git = ["git", "-c", "user.name=test", "-c", "user.email=test@example.com"]
        for command in [["init", "--quiet", cls.checkout], ["-C", cls.checkout, "commit", "--quiet", "--allow-empty", "-mx"]]:
            subprocess.run([*git, *command], check=True, stdin=subprocess.DEVNULL)

    def act(self, workflow: Path, *, env: dict[str, str] | None = None, event: str = "push", **secrets: str) -> Run:
        """Runs a workflow. Of this process's environment it inherits only PATH."""
        scratch = Path(tempfile.mkdtemp(dir=self.folder))
        reports = scratch / "reports"
        reports.mkdir()
        command = ["act", event, "--json", "--insecure-secrets", "--no-cache-server"]
        command += [*self.where, "--workflows", workflow]
        for commit in set(re.findall(rf"uses: {OURS}@([0-9a-f]{{40}}) ", workflow.read_text())):
            command += ["--local-repository", f"{OURS}@{commit}={self.tree}"]
        for name, value in ({"REPORTS": str(reports)} | (self.sandbox.environment if env is None else env)).items():
            command += ["--env", f"{name}={value}"]
        for name in secrets:
            command += ["--secret", name]
        done = subprocess.run(
            command,
            cwd=self.checkout,
            env={"PATH": os.environ["PATH"], "HOME": str(scratch)} | self.surroundings | secrets,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        run = Run(done.returncode, [message(line) for line in done.stdout.splitlines()], reports)
        for name, secret in secrets.items():
            self.assertEqual(leaks(secret, run.everything()), [], f"{name} is in the log or in an output:\n{run.log}")
        return run

    def stored(self, name: str) -> str:
        return self.sandbox.call("GetSecretValue", SecretId=name)["SecretString"]


def assembled(binary: Path, folder: Path) -> Path:
    """A release tree with this binary for this machine's platform, built by `release/assemble`."""
    version = subprocess.run(["rustc", "-vV"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    host = re.search(r"^host: (\S+)$", version, re.M)[1]
    target, tree = folder / "target", folder / "tree"
    # On Linux a release has musl's binary.
    built = target / host.replace("-linux-gnu", "-linux-musl") / "release" / "upsert-secret"
    built.parent.mkdir(parents=True)
    shutil.copy(binary, built)
    environment = os.environ | {"CARGO_TARGET_DIR": str(target)}
    command = [ROOT / "release/assemble", "--development", tree]
    subprocess.run(command, env=environment, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    return tree


def message(line: str) -> str:
    """The text of one line of act's log. Lines that are not JSON are returned unchanged."""
    try:
        return json.loads(line)["msg"].rstrip("\n")
    except (ValueError, KeyError, TypeError):
        return line
