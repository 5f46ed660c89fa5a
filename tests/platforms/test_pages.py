"""Tests of README.md and docs/: scripts run unchanged and print the documented output, steps use inputs that the action
accepts, and GitHub can render the graphs.
"""

import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import yaml

from loopback import Sandbox
from pages import ROOT, Block, blocks

HERE = Path(__file__).resolve().parent
VALUE = "made-up-value-of-40-bytes-in-the-sandbox"


# Content of a policy file that a page refers to.
POLICY = (
    '{"Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333"},'
    '"Action":"secretsmanager:GetSecretValue","Resource":"*"}]}'
)


class Pages(unittest.TestCase):
    # Set by `run`.
    binary: Path
    sandbox_program: Path
    mermaid: Path

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        shutil.copy(self.binary, self.folder / "upsert-secret")

    def run_here(self, command: list, **environment: str) -> subprocess.CompletedProcess:
        """Runs a command in an empty directory and a minimal environment."""
        work = Path(tempfile.mkdtemp(dir=self.folder))
        clean = {"PATH": f"{self.folder}:{os.environ['PATH']}", "HOME": str(work), "AWS_EC2_METADATA_DISABLED": "true"}
        return subprocess.run(
            command,
            cwd=work,
            env=clean | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )

    def test_scripts_print_documented_output(self):
        printed = {}
        for block in blocks():
            if name := block.named("run"):
                with self.subTest(block.place), Sandbox(self.sandbox_program) as sandbox:
                    given = sandbox.environment | {"MODEL_API_KEY": VALUE, "DB_USER": "made-up-user", "DB_PASSWORD": "made-up-password"}
                    done = self.run_here(["sh", "-eu", "-c", block.text], **given | {"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"})
                    self.assertEqual(done.returncode, 0, done.stdout)
                    self.assertNotIn(VALUE, done.stdout)
                    printed[name] = done.stdout
            elif name := block.named("output of"):
                with self.subTest(block.place):
                    self.assertIn(name, printed, "no script of this name precedes it")
                    self.assert_has_lines(printed[name], block)

    def assert_has_lines(self, output: str, block: Block) -> None:
        """The block's lines occur in the output in this order, possibly with other lines between them."""
        rest = iter(plain(output).splitlines())
        for line in plain(block.text).splitlines():
            self.assertIn(line, rest, f"not printed, or not in this order:\n{output}")

    def test_picture_shows_current_summary(self):
        """`docs/summary/draw --check` checks that the picture shows this Markdown."""
        summary = self.folder / "summary"
        given = {"UPSERT_SECRET_NAME": "model-deployment/api-key", "GITHUB_STEP_SUMMARY": str(summary)}
        given |= {"GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": str(self.folder / "output")}
        with Sandbox(self.sandbox_program) as sandbox:
            given |= sandbox.environment | {"AWS_REGION": "us-east-1"}
            for value in ("made-up-first-value", VALUE):
                summary.write_text("")
                done = self.run_here(["upsert-secret"], **given | {"UPSERT_SECRET_VALUE": value})
                self.assertEqual(done.returncode, 0, done.stdout)
        written, shown = summary.read_text(), (ROOT / "docs/summary/updated.md").read_text()
        self.assertEqual(plain(written), plain(shown), f"write this to docs/summary/updated.md, then run docs/summary/draw:\n{written}")

    def test_documented_steps_have_valid_inputs(self):
        """Uses `iam-policy`, which validates all inputs and needs neither a value nor AWS."""
        seen = 0
        for block in blocks():
            if block.mark != "step":
                continue
            for given in inputs(yaml.safe_load(block.text)):
                seen += 1
                with self.subTest(block.place):
                    command = given.pop("command", "upsert")
                    environment = {variable(name): expanded(value) for name, value in given.items() if name != "value"}
                    environment |= {"AWS_REGION": "us-east-1"}
                    if command in ("promote", "rollback"):
                        environment["UPSERT_SECRET_COMMAND"] = command
                    if policy := re.match("file:(.*)", given.get("resource-policy", "")):
                        command_line = f"mkdir -p {Path(policy[1]).parent} && echo '{POLICY}' >{policy[1]} && "
                    else:
                        command_line = ""
                    done = self.run_here(["sh", "-eu", "-c", command_line + "upsert-secret iam-policy"], **environment)
                    self.assertEqual(done.returncode, 0, done.stdout)
        self.assertTrue(seen)

    def test_graphs_render(self):
        graphs = [block for block in blocks() if block.language == "mermaid"]
        self.assertTrue(graphs)
        for block in graphs:
            with self.subTest(block.place):
                command = ["node", HERE / "mermaid.mjs"]
                done = subprocess.run(command, cwd=self.mermaid, input=block.text, capture_output=True, text=True, check=False)
                self.assertEqual(done.returncode, 0, done.stderr)


def plain(text: str) -> str:
    """The text without what differs between runs."""
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID", text)
    text = re.sub(r"(:secret:[\w/+=.@-]+)-\w{6}\b", r"\1-SUFFIX", text)
    text = re.sub(r"\b\d{12}\b", "ACCOUNT", text)
    return re.sub(r"\b\d+(\.\d+)? m?s\b", "TIME", text)


def inputs(part: object) -> list[dict[str, str]]:
    """The `with` mapping of each step that uses the action, or of a single step."""
    steps = part if isinstance(part, list) else [part]
    return [dict(step["with"]) for step in steps if "with" in step and "upsert-secret" in step.get("uses", "upsert-secret")]


def variable(name: str) -> str:
    return "UPSERT_SECRET_" + name.upper().replace("-", "_")


def expanded(value: str) -> str:
    """Replaces expressions by a version ID: the documented steps use them only for such inputs."""
    return re.sub(r"\$\{\{.*?\}\}", "e477042d-0e33-89c5-a8d3-7fd180bd8e08", str(value))
