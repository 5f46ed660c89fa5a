"""The action in real workflows, run by act, against the sandbox.

act prints the log with nothing masked (`--insecure-secrets`): what it would mask, a real runner might not.
"""

import json
import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

from leaks import leaks
from loopback import Sandbox

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
OURS = "upsert-secret/upsert-secret"
CREDENTIALS = "aws-actions/configure-aws-credentials"

# Values that a careless shell, log or masker would show or change: quotes, expansions, a workflow command, white space.
FIRST = "first-value '\"$HOME `id` %0A\n::error::second line of it\n{\n\u00fcnic\u00f6de\n"
SECOND = "second-value &<>+/=?"


class Run:
    """One run of a workflow: its log, and the files its steps left."""

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


class GitHub(unittest.TestCase):
    # Set by `run`.
    binary: Path
    sandbox_program: Path

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)
        cls.sandbox = cls.enterClassContext(Sandbox(cls.sandbox_program))

        cls.tree = cls.folder / "tree"
        subprocess.run([HERE / "assemble", cls.tree, f"linux-x64={cls.binary}"], check=True)
        cls.credentials = cls.folder / "credentials"
        cls.credentials.mkdir()
        (cls.credentials / "action.yml").write_text(CREDENTIALS_ACTION)

        # act looks for a repository.
        cls.checkout = cls.folder / "checkout"
        git = ["git", "-c", "user.name=test", "-c", "user.email=test@example.com"]
        for command in [["init", "--quiet", cls.checkout], ["-C", cls.checkout, "commit", "--quiet", "--allow-empty", "-mx"]]:
            subprocess.run([*git, *command], check=True, stdin=subprocess.DEVNULL)

    def act(self, workflow: Path, *, env: dict[str, str] | None = None, **secrets: str) -> Run:
        """Runs a workflow on this machine, with nothing of our own environment but PATH."""
        scratch = Path(tempfile.mkdtemp(dir=self.folder))
        reports = scratch / "reports"
        reports.mkdir()
        command = ["act", "push", "--json", "--insecure-secrets", "--no-cache-server"]
        command += ["--platform", "ubuntu-latest=-self-hosted", "--workflows", workflow]
        for repository, commit in set(re.findall(r"uses: ([\w-]+/[\w-]+)@([0-9a-f]{40}) ", workflow.read_text())):
            local = {OURS: self.tree, CREDENTIALS: self.credentials}[repository]
            command += ["--local-repository", f"{repository}@{commit}={local}"]
        for name, value in ({"REPORTS": str(reports)} | (self.sandbox.environment if env is None else env)).items():
            command += ["--env", f"{name}={value}"]
        for name in secrets:
            command += ["--secret", name]
        done = subprocess.run(
            command,
            cwd=self.checkout,
            env={"PATH": os.environ["PATH"], "HOME": str(scratch)} | secrets,
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

    def test_create_unchanged_update(self):
        run = self.act(HERE / "workflows/lifecycle.yml", FIRST=FIRST, SECOND=SECOND)
        self.assertEqual(run.status, 0, run.log)

        create, unchanged, update = (run.outputs(name) for name in ("create", "unchanged", "update"))
        arn = create["secret_id"]
        region = self.sandbox.environment["AWS_REGION"]
        self.assertRegex(arn, rf"^arn:aws:secretsmanager:{region}:\d{{12}}:secret:platforms/lifecycle-\w{{6}}$")
        first, second = create["secret_version_id"], update["secret_version_id"]
        self.assertNotEqual(first, second)
        common = {"secret_id": arn, "secret_name": "platforms/lifecycle", "region": region}
        common |= {"restored": "false", "version_stages": "AWSCURRENT"}
        for outputs, expected in [
            (create, {"result": "created", "changed": "true", "secret_version_id": first}),
            (unchanged, {"result": "unchanged", "changed": "false", "secret_version_id": first}),
            (update, {"result": "updated", "changed": "true", "secret_version_id": second, "previous_version_id": first}),
        ]:
            given = {name: value for name, value in outputs.items() if value}
            self.assertEqual(given, common | expected)

        self.assertEqual(
            run.outputs("needs"), {"secret_id": arn, "secret_version_id": second, "result": "updated"}, "in a later job"
        )
        self.assertEqual(self.stored("platforms/lifecycle"), SECOND)

    def test_inputs_by_env_on_the_step(self):
        run = self.act(HERE / "workflows/env-only.yml", FIRST=FIRST)
        self.assertEqual(run.status, 0, run.log)
        self.assertEqual(run.outputs("secret")["result"], "created")
        self.assertEqual(self.stored("platforms/env-only"), FIRST)

    def test_a_value_that_stays_in_the_callers_variable(self):
        run = self.act(HERE / "workflows/value-env.yml", FIRST=FIRST)
        self.assertEqual(run.status, 0, run.log)
        self.assertEqual(run.outputs("secret")["result"], "created")
        self.assertEqual(self.stored("platforms/value-env"), FIRST)

    def test_an_empty_value_fails_with_an_annotation(self):
        run = self.act(HERE / "workflows/failure.yml")
        self.assertEqual(run.status, 0, run.log)
        self.assertEqual(run.text("outcome"), "failure")
        # What, why, and what to do next, in one annotation.
        [annotation] = re.findall(r"::error title=[^:]*::(.*)", run.log)
        self.assertRegex(annotation, r"`value` is empty.*not defined.*%0A.*not passed to workflows.*fork")
        with self.assertRaisesRegex(RuntimeError, "ResourceNotFoundException"):
            self.stored("platforms/failure")

    def test_the_workflow_of_the_readme(self):
        """It does the job of the program that this tool replaces: a described secret, its value, and two exports."""
        workflow = self.folder / "readme.yml"
        shown = subprocess.run([HERE / "readme-workflow", ROOT / "README.md"], check=True, capture_output=True, text=True)
        workflow.write_text(shown.stdout)
        # The credentials come from the step before, as on a real runner, and not from the environment of the job.
        given = dict(self.sandbox.environment)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"):
            given[f"STUB_{name}"] = given.pop(name)
        run = self.act(workflow, env=given, MODEL_API_KEY=SECOND)
        self.assertEqual(run.status, 0, run.log)

        name = re.search(r"^ +name: (\S+/\S+)$", shown.stdout, re.M)[1]
        secret = self.sandbox.call("DescribeSecret", SecretId=name)
        self.assertEqual(secret["Description"], "API key for AI model deployment workflow")
        self.assertEqual(self.stored(name), SECOND)
        [version] = secret["VersionIdsToStages"]
        self.assertIn(f"Deploying with version {version} of {secret['ARN']}", run.log)


def message(line: str) -> str:
    """The text of one line of act's log; what is not JSON is text already."""
    try:
        return json.loads(line)["msg"].rstrip("\n")
    except (ValueError, KeyError, TypeError):
        return line


# In the place of aws-actions/configure-aws-credentials: it hands on keys as that does, by the job's environment.
CREDENTIALS_ACTION = """
name: credentials
description: Hands on the sandbox's keys
inputs:
  role-to-assume:
    description: Not used
  aws-region:
    description: Not used
runs:
  using: composite
  steps:
    - shell: sh
      run: |
        for name in AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_REGION; do
          eval "printf '%s=%s\\n' $name \\"\\$STUB_$name\\"" >>"$GITHUB_ENV"
        done
"""
