"""Tests of jobs in the image, started as GitLab's Docker executor starts them. No local runner reproduces this.

The executor starts `sh -c` with a script that detects the shell (gitlab-runner, shells/bash.go), and passes the job to
that shell on standard input. Another container has created the build directory, as root, with a umask of 0.
"""

import tempfile
from pathlib import Path

from podman import ContainerTest, Ran

SHELLS = [f"{folder}/{shell}" for shell in ("bash", "sh") for folder in ("/usr/local/bin", "/usr/bin", "/bin")]
DETECT = "".join(f"{word} [ -x {shell} ]; then\n\texec {shell}\n" for word, shell in zip(["if", *["elif"] * 5], SHELLS))
DETECT += "else\n\techo shell not found\n\texit 1\nfi\n"

PROJECT = "/builds/acme/models"
# A value that GitLab can mask: no whitespace, eight characters or more.
VALUE = "made-up+masked/value=~1234"


def job(script: str, variables: dict[str, str]) -> str:
    """The text that a runner writes to the shell's standard input. The job's own standard input is empty."""
    lines = [f"export {name}={quote(value)}" for name, value in variables.items()]
    whole = "\n".join([*lines, f"cd {PROJECT}", script, ""])
    start = "trap exit 1 TERM\n\nif set -o | grep pipefail > /dev/null; then set -o pipefail; fi; set -o errexit\n"
    return f"{start}set +o noclobber\n: | eval {quote(whole)}\nexit 0\n"


def quote(text: str) -> str:
    for character, escaped in [("\\", "\\\\"), ("'", "\\'"), ("\n", "\\n"), ("\t", "\\t")]:
        text = text.replace(character, escaped)
    return f"$'{text}'"


class GitLabExecutor(ContainerTest):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.addCleanup(folder.cleanup)
        self.builds = Path(folder.name)
        self.project = self.builds / Path(PROJECT).relative_to("/builds")
        self.project.mkdir(parents=True)
        for path in (self.builds, self.project.parent, self.project):
            path.chmod(0o777)

    def run_job(self, script: str, options=(), **variables: str) -> Ran:
        variables = {
            "CI": "true",
            "GITLAB_CI": "true",
            "CI_SERVER_URL": "https://gitlab.example",
            "CI_PROJECT_ID": "7",
            "CI_PIPELINE_ID": "4711",
            "CI_JOB_NAME": "store",
            "CI_PROJECT_DIR": PROJECT,
            "UPSERT_SECRET_VALUE_ENV": "MODEL_API_KEY",
            "MODEL_API_KEY": VALUE,
        } | variables
        options = [*options, "--volume", f"{self.builds}:/builds"]
        ran = self.run_container(
            *("sh", "-c", DETECT), options=options, env=variables, stdin=job(script, self.sandbox.environment | variables)
        )
        self.assert_hidden(VALUE, ran.out, ran.err, ran.shown)
        return ran

    def report(self) -> dict[str, str]:
        text = (self.project / "upsert-secret.env").read_text()
        self.assert_hidden(VALUE, text)
        return dict(line.split("=", 1) for line in text.splitlines())

    def test_job_writes_report(self):
        for name, options in [
            ("root", []),
            ("no-entrypoint", ["--entrypoint", ""]),
            ("unprivileged", ["--user", "65532:65532", "--cap-drop", "all"]),
        ]:
            with self.subTest(name):
                (self.project / "upsert-secret.env").unlink(missing_ok=True)
                ran = self.run_job("upsert-secret\necho and went on", options, UPSERT_SECRET_NAME=f"executor/{name}")
                self.assertEqual(ran.status, 0, ran.err)
                self.assertIn("and went on\n", ran.out)
                report = self.report()
                self.assertEqual(report["UPSERTED_RESULT"], "created")
                stored = self.sandbox.call("GetSecretValue", SecretId=report["UPSERTED_SECRET_ID"])
                self.assertEqual(stored["SecretString"], VALUE)
                self.assertEqual(stored["VersionId"], report["UPSERTED_SECRET_VERSION_ID"])

    def test_failure_fails_job(self):
        ran = self.run_job("upsert-secret\necho and went on", UPSERT_SECRET_NAME="executor/failure", MODEL_API_KEY="")
        self.assertEqual(ran.status, 2, ran.err)
        self.assertNotIn("and went on", ran.out)
        self.assertIn("MODEL_API_KEY", ran.err)

    def test_entrypoint_fails_job(self):
        ran = self.run_job("echo and went on", ["--entrypoint", "upsert-secret"], UPSERT_SECRET_NAME="executor/entrypoint")
        self.assertEqual(ran.status, 2, ran.err)
        self.assertNotIn("and went on", ran.out)
        self.assertIn("the script was not run", ran.err)
