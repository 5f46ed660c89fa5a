"""Tests of the component and the documented GitLab files in pipelines, run by gitlab-ci-local against the sandbox.

gitlab-ci-local masks nothing, so it prints exactly what the binary prints. Its dotenv parser accepts nearly anything, so
these tests parse the report by GitLab's rules (`parse_dotenv_artifact_service.rb`).
"""

import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import yaml

from leaks import leaks
from loopback import CiSandbox
from pages import examples

ROOT = Path(__file__).resolve().parents[2]
ROLE = "arn:aws:sts::111122223333:assumed-role/store-api-key/"
VALUE = "made-up-value '\"`id` %41 &<>+/=?"
# A released component: the documented reference, and the one that gitlab-ci-local resolves without a network.
RELEASED = re.compile(r"component: \$CI_SERVER_FQDN/upsert-secret/upsert-secret/upsert-secret@[0-9a-f]{40} # v0\.1\.0$", re.M)
HERE = "component: $CI_SERVER_FQDN/$CI_PROJECT_PATH/upsert-secret@$CI_COMMIT_SHA"


def variables(report: bytes) -> dict[str, str]:
    """Parses a dotenv report as GitLab does. Raises ValueError where GitLab would reject it."""
    if len(report) >= 5 * 1024:
        raise ValueError("Dotenv Artifact Too Big")
    found = {}
    for line in report.decode().splitlines(keepends=True):
        match = re.search(r"^(.*?)=(.*)$", line)
        if not match:
            raise ValueError(f"Invalid Format: {line!r}")
        key, value = (group.strip() for group in match.groups())
        if not re.fullmatch(r"[a-zA-Z0-9_]{1,255}", key):
            raise ValueError(f"Key can contain only letters, digits and '_': {key!r}")
        if "$" in value or "%" in value:
            raise ValueError(f"expanded in a later job: {line!r}")
        found[key] = value
    if len(found) > 20:
        raise ValueError("Dotenv files cannot have more than 20 variables")
    return found


class Run:
    """Result of a pipeline run: its log and its dotenv report."""

    def __init__(self, done: subprocess.CompletedProcess, report: Path):
        self.status = done.returncode
        self.log = done.stdout
        self.report = report.read_bytes() if report.exists() else b""


class GitLab(unittest.TestCase):
    # Set by `run`.
    binary: Path
    sandbox_program: Path
    gitlab_ci_local: Path

    # gitlab-ci-local's options and extra environment variables that select where jobs run. By default, they run in a local shell.
    executor: tuple[str, ...] = ("--force-shell-executor",)
    surroundings: dict[str, str] = {}

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.sandbox = self.enterContext(CiSandbox(self.sandbox_program))
        self.project = self.folder / "project"
        self.bin = self.folder / "bin"
        self.bin.mkdir()
        shutil.copy(self.binary, self.bin / "upsert-secret")

    def pipeline(
        self, text: str, *, keys: bool = False, given: dict[str, str] | None = None, files: dict[str, bytes] | None = None
    ) -> Run:
        """Runs a pipeline in its own project with these CI/CD variables; those in `files` are of type file."""
        shutil.copytree(ROOT / "templates", self.project / "templates", dirs_exist_ok=True)
        (self.project / ".gitlab-ci.yml").write_text(text)
        self.commit()
        environment = self.sandbox.environment if keys else self.sandbox.keyless()
        ours = self.predefined()
        # gitlab-ci-local issues no ID tokens.
        tokens = {"UPSERT_ID_TOKEN": self.sandbox.token, "AWS_ID_TOKEN": self.sandbox.token}
        command = [self.gitlab_ci_local, *self.executor, "--ignore-predefined-vars", ",".join(ours)]
        for name, value in (environment | ours | tokens).items():
            command += ["--variable", f"{name}={value}"]
        # As on a runner, the variable contains the path of a file outside the project directory.
        beside = Path(f"{self.project}.tmp")
        beside.mkdir(exist_ok=True)
        for name, content in (files or {}).items():
            (beside / name).write_bytes(content)
            command += ["--variable", f"{name}={beside / name}"]
        (self.project / ".gitlab-ci-local-variables.yml").write_text(yaml.safe_dump(given or {}))
        done = subprocess.run(
            command,
            cwd=self.project,
            env={"PATH": f"{self.bin}:{os.environ['PATH']}", "HOME": str(self.folder)} | self.surroundings,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        run = Run(done, self.project / "upsert-secret.env")
        for name, secret in (given or {}).items():
            self.assertEqual(leaks(secret, run.log + run.report.decode()), [], f"{name} is in the log:\n{run.log}")
        return run

    def predefined(self) -> dict[str, str]:
        """Predefined GitLab variables that replace those of gitlab-ci-local."""
        return {"GITLAB_CI": "true", "CI_PROJECT_DIR": str(self.project)}

    def commit(self) -> None:
        """Commits the project: gitlab-ci-local reads components from a commit and requires a remote."""
        git = ["git", "-C", self.project, "-c", "user.name=test", "-c", "user.email=test@example.com"]
        commands = [
            ["init", "--quiet"],
            ["symbolic-ref", "HEAD", "refs/heads/main"],
            ["add", "."],
            ["commit", "--quiet", "--allow-empty", "-mx"],
            ["config", "user.name", "test"],
            ["config", "user.email", "test@example.com"],
            ["config", "remote.origin.url", "https://gitlab.example/acme/models.git"],
            ["update-ref", "refs/remotes/origin/main", "HEAD"],
            ["symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main"],
        ]
        for command in commands:
            subprocess.run([*git, *command], check=True, stdin=subprocess.DEVNULL)

    def component(self, **inputs: str | bool) -> str:
        named = {name.replace("_", "-"): value for name, value in inputs.items()}
        include = {"include": [{"component": HERE.removeprefix("component: "), "inputs": named}]}
        after = {"later": {"stage": ".post", "script": ["env | sed -n 's/^UPSERTED_/later: UPSERTED_/p'"]}}
        return yaml.safe_dump(include | after)

    def stored(self, name: str) -> str:
        return self.sandbox.call("GetSecretValue", SecretId=name)["SecretString"]

    def assert_stored_and_used(self, run: Run, name: str = "model-deployment/api-key") -> None:
        """Checks the job of the replaced Pulumi program: a secret with a description, its value, and two exports."""
        self.assertEqual(run.status, 0, run.log)
        secret = self.sandbox.call("DescribeSecret", SecretId=name)
        self.assertEqual(secret["Description"], "API key for AI model deployment workflow")
        self.assertEqual(self.stored(name), VALUE)
        [version] = secret["VersionIdsToStages"]
        self.assertEqual(variables(run.report)["UPSERTED_SECRET_VERSION_ID"], version)
        self.assertIn(f"Deploying with version {version} of {secret['ARN']}", run.log)

    def test_readme_component(self):
        self.sandbox.environment["AWS_REGION"] = "us-east-1"
        text, count = RELEASED.subn(HERE, examples()["gitlab-component.yml"])
        self.assertEqual(count, 1)
        run = self.pipeline(text, given={"MODEL_API_KEY": VALUE})
        self.assert_stored_and_used(run)
        [session] = self.sandbox.sessions()
        self.assertTrue(session.startswith(f"{ROLE}upsert-secret-"), session)

    def test_readme_shortest_pipeline(self):
        self.sandbox.environment["AWS_REGION"] = "us-east-1"
        text, count = RELEASED.subn(HERE, examples()["gitlab-short.yml"])
        self.assertEqual(count, 1)
        run = self.pipeline(text, given={"MODEL_API_KEY": VALUE})
        self.assertEqual(run.status, 0, run.log)
        self.assertEqual(self.stored("model-deployment/api-key"), VALUE)

    def test_readme_plain_job(self):
        self.sandbox.environment["AWS_REGION"] = "us-east-1"
        text = examples()["gitlab-job.yml"]
        run = self.pipeline(text, given={"MODEL_API_KEY": VALUE})
        self.assert_stored_and_used(run)
        [session] = self.sandbox.sessions()
        self.assertTrue(session.startswith(f"{ROLE}upsert-secret-"), session)

    def test_readme_plain_job_with_static_keys(self):
        self.sandbox.environment["AWS_REGION"] = "us-east-1"
        text = examples()["gitlab-job.yml"]
        # As the README describes: remove the token and the last two variables.
        job = yaml.safe_load(text)
        store = job["store-api-key"]
        del store["id_tokens"]
        for _ in range(2):
            store["variables"].popitem()
        run = self.pipeline(yaml.safe_dump(job, sort_keys=False), keys=True, given={"MODEL_API_KEY": VALUE})
        self.assert_stored_and_used(run)
        self.assertEqual(self.sandbox.sessions(), [])

    def test_readme_manifest(self):
        self.sandbox.environment["AWS_REGION"] = "us-east-1"
        self.project.mkdir()
        (self.project / "secrets.yaml").write_text(examples()["secrets.yaml"])
        given = {
            "MODEL_API_KEY": VALUE,
            "DB_USER": "made-up-database-user",
            "DB_PASSWORD": "made-up-password",
            "TLS_KEY": "made-up-tls-key",
        }
        run = self.pipeline(examples()["gitlab-manifest.yml"], given=given)
        self.assertEqual(run.status, 0, run.log)
        self.assertEqual(self.stored("model-deployment/api-key"), VALUE)
        self.assertEqual(self.stored("model-deployment/tls-key"), "made-up-tls-key")
        database = json.loads(self.stored("model-deployment/database"))
        self.assertEqual(database, {"user": given["DB_USER"], "password": given["DB_PASSWORD"]})
        self.assertNotIn(self.stored("model-deployment/session-key"), run.log)
        self.assertEqual(variables(run.report)["UPSERTED_CREATED"], "4")

    def test_staged_release(self):
        self.sandbox.environment["AWS_REGION"] = "us-east-1"
        name = "model-deployment/api-key"
        self.sandbox.call("CreateSecret", Name=name, SecretString="made-up-older-value", ClientRequestToken=36 * "a")
        text = examples()["gitlab-release.yml"]
        run = self.pipeline(text, given={"MODEL_API_KEY": VALUE})
        self.assertEqual(run.status, 0, run.log)
        self.assertEqual(self.stored(name), VALUE)

        bad, count = re.subn(r'echo "Check the release.*"', "exit 1", text)
        self.assertEqual(count, 1)
        run = self.pipeline(bad, given={"MODEL_API_KEY": "made-up-value-of-a-bad-release"})
        self.assertNotEqual(run.status, 0, run.log)
        self.assertIn("AWSCURRENT again", run.log)
        self.assertEqual(self.stored(name), VALUE, "the version was rolled back")

    def test_release_of_many(self):
        self.sandbox.environment["AWS_REGION"] = "us-east-1"
        given = {name: f"made-up-{name}-1" for name in ("MODEL_API_KEY", "DB_USER", "DB_PASSWORD", "SIGNING_KEY")}
        self.project.mkdir(exist_ok=True)
        (self.project / "release.yaml").write_text(examples()["release.yaml"])
        text = examples()["gitlab-releases.yml"]
        run = self.pipeline(text, given=given)
        self.assertEqual(run.status, 0, run.log)

        bad, count = re.subn(r'echo "Check the release.*"', "exit 1", text)
        self.assertEqual(count, 1)
        run = self.pipeline(bad, given=given | {"SIGNING_KEY": "made-up-SIGNING_KEY-2"})
        self.assertNotEqual(run.status, 0, run.log)
        self.assertIn("AWSCURRENT again", run.log)
        self.assertEqual(self.stored("model-deployment/signing-key"), given["SIGNING_KEY"], "the release was rolled back")

    def test_outputs_reach_later_job(self):
        run = self.pipeline(self.component(name="a", value_env="MY_KEY"), keys=True, given={"MY_KEY": VALUE})
        self.assertEqual(run.status, 0, run.log)
        expected = variables(run.report)
        self.assertEqual(len(expected), 9)
        later = dict(re.findall(r"later: (UPSERTED_\w+)=(.*)$", run.log, re.M))
        self.assertEqual(later, expected)
        self.assertEqual(expected["UPSERTED_RESULT"], "created")

    def test_inputs_are_passed_unchanged(self):
        tags = "team: ml\nnote: 'a: b = c'\n"
        text = self.component(
            name="with/inputs",
            value_env="MY_KEY",
            description="costs: 5 \"quoted\" 'single' | & # {x}",
            tags=tags,
        )
        run = self.pipeline(text, keys=True, given={"MY_KEY": VALUE})
        self.assertEqual(run.status, 0, run.log)
        secret = self.sandbox.call("DescribeSecret", SecretId="with/inputs")
        self.assertEqual(secret["Description"], "costs: 5 \"quoted\" 'single' | & # {x}")
        self.assertEqual({tag["Key"]: tag["Value"] for tag in secret["Tags"]}, yaml.safe_load(tags))

    def test_file_variable(self):
        certificate = b"-----BEGIN MADE UP-----\nfirst line of it\n-----END MADE UP-----\n"
        text = self.component(name="certificate", value_file="$CERTIFICATE")
        run = self.pipeline(text, keys=True, files={"CERTIFICATE": certificate})
        self.assertEqual(run.status, 0, run.log)
        self.assertEqual(self.stored("certificate"), certificate.decode())
        self.assertEqual(leaks(certificate.decode(), run.log), [], run.log)

        text = self.component(name="path", value_env="CERTIFICATE")
        run = self.pipeline(text, keys=True, files={"CERTIFICATE": certificate})
        self.assertNotEqual(run.status, 0)
        self.assertIn("CERTIFICATE is a variable of type file", run.log)
        self.assertEqual(list(self.sandbox.secrets()), ["certificate"])

    def test_undefined_variable(self):
        run = self.pipeline(self.component(name="a", value_env="MY_KEY"), keys=True)
        self.assertNotEqual(run.status, 0)
        self.assertIn("ERROR: there is no value", run.log)
        self.assertIn("A protected variable is absent on a branch or tag that is not protected", run.log)
        self.assertEqual(self.sandbox.log(), [])

    def test_value_as_value_env_is_rejected(self):
        """The input's pattern makes GitLab reject the pipeline before it runs."""
        run = self.pipeline(self.component(name="a", value_env="$MY_KEY"), keys=True, given={"MY_KEY": VALUE})
        self.assertNotEqual(run.status, 0)
        self.assertRegex(run.log, r"`value-env` input: `\$MY_KEY` does not match required regex")
        self.assertEqual(self.sandbox.log(), [])

    def test_role_chaining_with_keys(self):
        text = self.component(
            name="a", value_env="MY_KEY", role_to_assume="arn:aws:iam::111122223333:role/chained", role_chaining=True
        )
        run = self.pipeline(text, keys=True, given={"MY_KEY": VALUE})
        # The sandbox does not have this role. The test checks only that the keys were used to request it.
        self.assertNotEqual(run.status, 0)
        self.assertEqual({entry["operation"] for entry in self.sandbox.log()}, {"AssumeRole"})
