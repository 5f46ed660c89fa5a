"""Runs the README's examples that use the image in the image: script lines unchanged, with the image's shell and tools.

../test_examples.py covers everything else; these tests find what the image's shell could break.
"""

import tempfile
from pathlib import Path

import test_gitlab_executor as gitlab
import yaml

from loopback import CiSandbox
from podman import ContainerTest, Ran
from pages import examples

# A value that each of these CI systems can mask.
VALUE = "made-up+masked/value=~1234"


class ExamplesInImage(ContainerTest):
    def setUp(self):
        self.sandbox = self.enterContext(CiSandbox(self.sandbox_program))
        self.keys = self.sandbox.environment | {"AWS_REGION": "us-east-1"}
        # Jobs have an OIDC token but no keys, and set the region by input.
        self.sandbox.environment = self.sandbox.keyless()
        folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.folder.chmod(0o777)

    def run_script(self, shell: str, script: str, given: dict[str, str], stdin: str = "") -> Ran:
        mount = ["--volume", f"{self.folder}:/builds", "--workdir", "/builds"]
        ran = self.run_container(*shell.split(), script, options=mount, env=given | {"MODEL_API_KEY": VALUE}, stdin=stdin)
        self.assertEqual(ran.status, 0, ran.err)
        self.assert_hidden(VALUE, ran.out, ran.err, ran.shown)
        return ran

    def assert_stored(self, secret_id: str) -> None:
        [session] = self.sandbox.sessions()
        self.assertIn(":assumed-role/store-api-key/upsert-secret", session)
        self.sandbox.environment = self.keys
        self.assertEqual(self.stored(secret_id), VALUE)

    def ids(self, name: str) -> dict[str, str]:
        return dict(line.split("=", 1) for line in (self.folder / name).read_text().splitlines())

    def test_gitlab(self):
        job = yaml.safe_load(examples()["gitlab-job.yml"])["store-api-key"]
        given = job["variables"] | {"GITLAB_CI": "true", "CI_PROJECT_DIR": gitlab.PROJECT, "AWS_ID_TOKEN": self.sandbox.token}
        (self.folder / "acme/models").mkdir(parents=True)
        everything = self.sandbox.environment | given | {"MODEL_API_KEY": VALUE}
        self.run_script("sh -c", gitlab.DETECT, given, stdin=gitlab.job("\n".join(job["script"]), everything))
        report = f"acme/models/{job['artifacts']['reports']['dotenv']}"
        self.assert_stored(self.ids(report)["UPSERTED_SECRET_ID"])

    def test_gitlab_component(self):
        _, job = (Path(__file__).resolve().parents[3] / "templates/upsert-secret.yml").read_text().split("\n---\n")
        [job] = yaml.safe_load(job).values()
        given = {name: "" for name in job["variables"]} | {
            "UPSERT_SECRET_NAME": "a",
            "UPSERT_SECRET_VALUE_ENV": "MODEL_API_KEY",
            "UPSERT_SECRET_ROLE_TO_ASSUME": "arn:aws:iam::111122223333:role/store-api-key",
            "UPSERT_SECRET_AWS_REGION": "us-east-1",
            "UPSERT_ID_TOKEN": self.sandbox.token,
            "GITLAB_CI": "true",
            "CI_PROJECT_DIR": gitlab.PROJECT,
        }
        (self.folder / "acme/models").mkdir(parents=True)
        everything = self.sandbox.environment | given | {"MODEL_API_KEY": VALUE}
        self.run_script("sh -c", gitlab.DETECT, given, stdin=gitlab.job("\n".join(job["script"]), everything))
        report = f"acme/models/{job['artifacts']['reports']['dotenv']}"
        self.assert_stored(self.ids(report)["UPSERTED_SECRET_ID"])

    def test_circleci(self):
        job = yaml.safe_load(examples()["circleci.yml"])["jobs"]["store"]
        given = job["environment"] | {"CIRCLE_OIDC_TOKEN_V2": self.sandbox.token}
        given |= {"CIRCLECI": "true", "BASH_ENV": "/builds/bash_env"}
        # The shell that CircleCI uses if the image has no bash.
        for step in job["steps"][:-1]:
            self.run_script("sh -eo pipefail -c", step["run"]["command"], given)
        secret_id, _version = (self.folder / "ids").read_text().split()
        self.assert_stored(secret_id)

    def test_bitbucket_pipelines(self):
        step = yaml.safe_load(examples()["bitbucket-pipelines.yml"])["pipelines"]["branches"]["main"][0]["step"]
        given = {"BITBUCKET_STEP_OIDC_TOKEN": self.sandbox.token, "BITBUCKET_PIPELINES_VARIABLES_PATH": "/builds/variables"}
        given["BITBUCKET_BUILD_NUMBER"] = "4711"
        self.run_script("sh -e -c", "\n".join(step["script"]), given)
        self.assert_stored(self.ids("variables")["UPSERTED_SECRET_ID"])

    def test_jenkins(self):
        lines = examples()["Jenkinsfile"].splitlines()
        of = dict(line.strip().split(" = ", 1) for line in lines if line.startswith("    UPSERT_SECRET_"))
        given = {name: value.strip("'") for name, value in of.items()} | {"AWS_ID_TOKEN": self.sandbox.token}
        # Jenkins keeps the container running with `cat` and runs each `sh` step in it.
        self.run_script("sh -xe -c", "upsert-secret > ids.env", given)
        ran = self.run_script("sh -xe -c", "sed -n 's/^secret_id=//p' ids.env", {})
        self.assert_stored(ran.out.strip())
