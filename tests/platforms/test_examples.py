"""Tests of the README's examples for CI systems that cannot run here. Each file is parsed as its system parses it, and its script
lines run unchanged against the sandbox, in a clean environment with the variables that the system would set.

Macros, escapes and output passing are modeled here from each system's documentation. `.ci/steps/workflows` validates the
files against the systems' schemas.
"""

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

NAME = "model-deployment/api-key"
VALUE = "made-up-value '\"$HOME `id` %41 &<>+/=?"
IMAGE = re.compile(r"ghcr\.io/upsert-secret/upsert-secret:0\.1\.0@sha256:[0-9a-f]{64}")

# A stub of `docker run` that supports what the examples use: it passes only the named variables and mounts programs.
DOCKER = r"""#!/bin/bash
set -eu
[[ "$1 $2" == "run --rm" ]]
shift 2
given=()
mounted=()
while [[ $1 == --* ]]; do
  case $1 in
    # As in docker, unset variables stay unset.
    --env) [[ ! -v $2 ]] || given+=("$2=${!2}") ;;
    --volume)
      IFS=: read -r program place options <<<"$2"
      [[ -x $program && $place == "/usr/local/bin/${program##*/}" && $options == ro ]]
      mounted+=("$program")
      ;;
    *) exit 64 ;;
  esac
  shift 2
done
[[ $1 == ghcr.io/upsert-secret/upsert-secret:*@sha256:* ]]
shift
# The image's PATH has the image's programs and the mounted ones.
inside=$(mktemp -d)
for program in "$(command -v upsert-secret)" "${mounted[@]}"; do
  ln -s "$program" "$inside/"
done
(($#)) || set -- upsert-secret
exec env --ignore-environment PATH="$inside:/usr/bin:/bin" $SANDBOX "${given[@]}" "$@"
"""

# The agent commands that the example calls. `meta-data set` takes a key, and the value on standard input; it rejects a blank
# value.
BUILDKITE_AGENT = r"""#!/bin/bash
set -eu
META_DATA='@META_DATA@'
key=${3//\//_}
case "$1 $2" in
  "secret get") [[ $3 == MODEL_API_KEY ]] && printf '%s' "$GIVEN_MODEL_API_KEY" ;;
  "oidc request-token") [[ "$3 $4" == "--audience sts.amazonaws.com" ]] && printf '%s' "$GIVEN_TOKEN" ;;
  "meta-data set") [[ $# == 3 && $BUILDKITE_JOB_ID ]] && grep . >"$META_DATA/$key" ;;
  "meta-data get") cat "$META_DATA/$key" ;;
  *) exit 64 ;;
esac
"""

PASS = r"""#!/bin/bash
set -eu
[[ "$1 $2" == "show model/api-key" ]]
printf '%s\n' "$GIVEN_MODEL_API_KEY"
"""


class Examples(unittest.TestCase):
    # Set by `run`.
    binary: Path
    sandbox_program: Path

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.sandbox = self.enterContext(CiSandbox(self.sandbox_program))
        # The examples set the region by input.
        self.sandbox.environment["AWS_REGION"] = "us-east-1"
        self.endpoints = {name: value for name, value in self.sandbox.keyless().items() if name != "AWS_REGION"}
        self.keys = {name: value for name, value in self.sandbox.environment.items() if "KEY" in name}
        self.bin = self.folder / "bin"
        self.bin.mkdir()
        shutil.copy(self.binary, self.bin / "upsert-secret")
        self.work = self.folder / "work"
        self.work.mkdir()
        self.log = ""

    def stub(self, name: str, content: str) -> None:
        """Adds a program to the scripts' PATH."""
        path = self.bin / name
        path.write_text(content)
        path.chmod(0o755)

    def script(self, shell: str, lines: str, env: dict[str, str], *, endpoints: bool = True, status: int = 0) -> str:
        """Runs script lines unchanged with only these environment variables. Returns standard output."""
        environment = {"PATH": f"{self.bin}:{os.environ['PATH']}", "HOME": str(self.folder)} | env
        if endpoints:
            environment |= self.endpoints
        done = subprocess.run(
            [*shell.split(), "-c", lines],
            cwd=self.work,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        self.log += done.stdout + done.stderr
        self.assertEqual(done.returncode, status, self.log)
        return done.stdout

    def assert_stored(self, *, by_role: bool) -> None:
        """The secret is stored, its IDs have reached the later job, and the value is in no log or file."""
        self.assertEqual(self.sandbox.call("GetSecretValue", SecretId=NAME)["SecretString"], VALUE)
        secret = self.sandbox.call("DescribeSecret", SecretId=NAME)
        self.assertEqual(secret["Description"], "API key for AI model deployment workflow")
        [version] = secret["VersionIdsToStages"]
        self.assertIn(f"Deploying with version {version} of {secret['ARN']}\n", self.log)
        roles = [caller.rpartition("/")[0] for caller in self.sandbox.sessions()]
        self.assertEqual(roles, ["arn:aws:sts::111122223333:assumed-role/store-api-key"] if by_role else [])
        files = [path.read_text() for path in self.work.rglob("*") if path.is_file()]
        self.assertEqual(leaks(VALUE, "\n".join([self.log, *files])), [], self.log)

    def assert_image(self, image: str) -> None:
        self.assertRegex(image, IMAGE)

    def test_circleci(self):
        config = yaml.safe_load(examples()["circleci.yml"])
        store, deploy = config["jobs"]["store"], config["jobs"]["deploy"]
        self.assert_image(store["docker"][0]["image"])
        # The context's variables, and the OIDC token that CircleCI adds to jobs with a context.
        workflow = config["workflows"]["deploy"]["jobs"]
        self.assertEqual(workflow[0]["store"]["context"], "production")
        given = {"MODEL_API_KEY": VALUE, "CIRCLE_OIDC_TOKEN_V2": self.sandbox.token}
        given |= {"CIRCLECI": "true", "BASH_ENV": str(self.folder / "bash_env")}
        *runs, persist = store["steps"]
        for run in runs:
            self.script("sh -e", run["run"]["command"], given | store["environment"])
        self.log += (self.folder / "bash_env").read_text()
        # In a step whose shell is bash, the outputs are already set.
        self.script("bash -eo pipefail", '[[ $UPSERTED_RESULT == created ]]', given)
        # The workspace consists of the named files, in the directory of another job.
        self.assertEqual(persist["persist_to_workspace"], {"root": ".", "paths": ["ids"]})
        attach, run = deploy["steps"]
        self.assertEqual(attach["attach_workspace"]["at"], ".")
        self.script("bash -eo pipefail", run["run"]["command"], {})
        self.assert_stored(by_role=True)

    def azure(self, group: dict[str, str]) -> tuple[str, dict[str, str]]:
        """The script of the first job, and its environment with macros expanded as by the agent."""
        pipeline = yaml.safe_load(examples()["azure-pipelines.yml"])
        self.assertEqual(pipeline["variables"], [{"group": "production"}])
        step = pipeline["jobs"][0]["steps"][1]

        def replaced(text: str) -> str:
            return re.sub(r"\$\(([\w.]+)\)", lambda macro: group.get(macro[1], macro[0]), text)

        self.stub("docker", DOCKER)
        env = {name: replaced(value) for name, value in step["env"].items()}
        env |= {"TF_BUILD": "True", "SYSTEM_COLLECTIONURI": "https://dev.azure.example/acme/", "SYSTEM_TEAMPROJECTID": "made-up"}
        env |= {"BUILD_BUILDID": "4711", "SYSTEM_JOBIDENTIFIER": "store.__default"}
        env["SANDBOX"] = " ".join(f"{name}={value}" for name, value in self.endpoints.items())
        # Bash would run `$(NAME)` as a command, so macros may occur only in the environment.
        self.assertEqual(replaced(step["bash"]), step["bash"])
        return step["bash"], env

    def test_azure_pipelines(self):
        script, env = self.azure({"MODEL_API_KEY": VALUE} | self.keys)
        output = self.script("bash --noprofile --norc -e", script, env, endpoints=False)
        commands = re.findall(r"^##vso\[task\.setvariable variable=(\w+);isOutput=true\](.*)$", output, re.M)
        handed_on = dict(commands)
        self.assertEqual(len(handed_on), 9)

        pipeline = yaml.safe_load(examples()["azure-pipelines.yml"])
        step, deploy = pipeline["jobs"][0]["steps"][1], pipeline["jobs"][1]
        variables = {}
        for name, expression in deploy["variables"].items():
            [(job, of, output)] = re.findall(r"^\$\[ dependencies\.(\w+)\.outputs\['(\w+)\.(\w+)'\] \]$", expression)
            self.assertEqual((job, of), (deploy["dependsOn"], step["name"]))
            variables[name] = handed_on[output]
        self.script("bash --noprofile --norc -e", deploy["steps"][1]["bash"], variables)
        self.assert_stored(by_role=False)

    def test_azure_pipelines_with_undefined_secret(self):
        script, env = self.azure(self.keys)
        self.assertEqual(env["MODEL_API_KEY"], "$(MODEL_API_KEY)")
        self.script("bash --noprofile --norc -e", script, env, endpoints=False, status=2)
        self.assertIn("is a reference to a variable", self.log)
        self.assertEqual(self.sandbox.log(), [])

    def test_buildkite(self):
        steps = yaml.safe_load(examples()["buildkite.yml"])["steps"]
        store, deploy = steps
        self.assertEqual(deploy["depends_on"], store["key"])
        self.stub("docker", DOCKER)
        meta_data = self.folder / "meta-data"
        meta_data.mkdir()
        self.stub("buildkite-agent", BUILDKITE_AGENT.replace("@META_DATA@", str(meta_data)))
        given = {"GIVEN_MODEL_API_KEY": VALUE, "GIVEN_TOKEN": self.sandbox.token}
        given |= {"BUILDKITE": "true", "BUILDKITE_BUILD_ID": "made-up-build", "BUILDKITE_STEP_ID": "made-up-step"}
        given |= {"BUILDKITE_JOB_ID": "made-up-job", "BUILDKITE_AGENT_ACCESS_TOKEN": "made-up-agent-token"}
        given["SANDBOX"] = " ".join(f"{name}={value}" for name, value in self.endpoints.items())

        def uploaded(command: str) -> str:
            # Unescaped variables are expanded when the pipeline is uploaded, before the job's environment exists.
            self.assertNotRegex(command.replace("$$", ""), r"\$")
            return command.replace("$$", "$")

        self.script("bash -e", uploaded(store["command"]), given | store["env"], endpoints=False)
        self.script("bash -e", uploaded(deploy["command"]), given, endpoints=False)
        self.log += "".join(path.read_text() for path in meta_data.iterdir())
        self.assertEqual(len(list(meta_data.iterdir())), 9)
        self.assert_stored(by_role=True)

    def test_jenkins(self):
        text = examples()["Jenkinsfile"]
        self.assertEqual(text.count("{") - text.count("}"), 0)
        self.assert_image(re.search(r"image '(.*)'", text)[1])
        environment = dict(re.findall(r"^    (\w+) = '(.*)'$", text.split("environment {")[1].split("\n  }")[0], re.M))
        self.assertEqual(len(environment), 6)
        # Groovy interpolates only in double quotes.
        self.assertNotIn('"', re.sub(r"'''.*?'''|'.*?'", "", re.sub(r"//.*", "", text)))
        bound = re.findall(r"string\(credentialsId: '([\w-]+)', variable: '(\w+)'\)", text)
        credentials = {"model-api-key": VALUE, "aws-id-token": self.sandbox.token}
        secrets = {variable: credentials[name] for name, variable in bound}
        environment |= {"JENKINS_URL": "https://jenkins.example/", "JOB_NAME": "models", "BUILD_NUMBER": "4711"}
        store, deploy = re.findall(r"^ +sh '(.*)'$", text, re.M)
        self.script("sh -xe", store, environment | secrets)
        ids = re.findall(r"env\.(\w+) = sh\(returnStdout: true, script: '''(.*)'''\)\.trim\(\)", text)
        handed_on = {name: self.script("sh -xe", script, environment).strip() for name, script in ids}
        self.script("sh -xe", deploy, environment | handed_on)
        self.assert_stored(by_role=True)

    def test_bitbucket_pipelines(self):
        store, deploy = [
            step["step"] for step in yaml.safe_load(examples()["bitbucket-pipelines.yml"])["pipelines"]["branches"]["main"]
        ]
        self.assert_image(store["image"])
        self.assertTrue(store["oidc"])
        variables = self.folder / "variables"
        variables.touch()
        given = {
            "MODEL_API_KEY": VALUE,
            "BITBUCKET_STEP_OIDC_TOKEN": self.sandbox.token,
            "BITBUCKET_PIPELINES_VARIABLES_PATH": str(variables),
            "BITBUCKET_BUILD_NUMBER": "4711",
        }
        self.script("sh -e", "\n".join(store["script"]), given)
        written = dict(line.split("=", 1) for line in variables.read_text().splitlines())
        self.log += variables.read_text()
        # Only declared variables are passed to later steps.
        handed_on = {name: written[name] for name in store["output-variables"]}
        self.script("sh -e", "\n".join(deploy["script"]), handed_on)
        self.assert_stored(by_role=True)

    def test_local_shell(self):
        self.stub("pass", PASS)
        profile = self.folder / ".aws"
        profile.mkdir()
        keys = {name.lower(): value for name, value in self.keys.items()}
        lines = ["[production]", *(f"{name} = {value}" for name, value in keys.items())]
        (profile / "credentials").write_text("\n".join(lines) + "\n")
        self.script("sh", examples()["store-api-key.sh"], {"GIVEN_MODEL_API_KEY": VALUE})
        self.assert_stored(by_role=False)
