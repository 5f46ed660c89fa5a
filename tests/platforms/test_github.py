"""Tests of the action in workflows, run by act against the sandbox."""

import json
import re
import shutil
import subprocess
from pathlib import Path

from act import HERE, ActTest, Run
from leaks import leaks
from loopback import CiSandbox
from pages import examples

# Values that careless quoting, logging or masking would reveal or change: quotes, expansions, a workflow command, whitespace.
FIRST = "first-value '\"$HOME `id` %0A\n::error::second line of it\n{\n\u00fcnic\u00f6de\n"
SECOND = "second-value &<>+/=?"


class GitHub(ActTest):
    # Set by `run`.
    mermaid: Path

    def with_summaries_kept(self):
        """Wraps the binary so that it copies the step's summary, which act clears before the next step."""
        wrapper = self.folder / "wrapper"
        wrapper.write_text(
            f"""#!/bin/sh
'{self.binary}' "$@"
status=$?
cp "$GITHUB_STEP_SUMMARY" "$REPORTS/summary-$(find "$REPORTS" -name 'summary-*' | wc -l)"
exit $status
"""
        )
        wrapper.chmod(0o755)
        self.tree = self.folder / "tree-with-summaries"
        shutil.copytree(type(self).tree, self.tree)
        [binary] = self.tree.glob("bin/*/upsert-secret")
        shutil.copy(wrapper, binary)

    def draws(self, summary: str) -> str:
        """The only Mermaid graph of a summary, after Mermaid has parsed it."""
        [graph] = re.findall(r"^```mermaid\n(.*?)^```$", summary, re.M | re.S)
        command = ["node", HERE / "mermaid.mjs"]
        done = subprocess.run(command, cwd=self.mermaid, input=graph, capture_output=True, text=True, check=False)
        self.assertEqual(done.stdout, "flowchart-v2\n", f"{graph}\n{done.stderr}")
        return graph

    def test_stage_promote_rollback(self):
        self.with_summaries_kept()
        run = self.act(HERE / "workflows/release.yml", FIRST=FIRST, SECOND=SECOND)
        self.assertEqual(run.status, 0, run.log)
        stage, promote, rollback = (run.outputs(name) for name in ("stage", "promote", "rollback"))
        new, old = stage["secret_version_id"], promote["previous_version_id"]
        self.assertEqual(stage["version_stages"], "candidate")
        self.assertEqual((promote["result"], promote["secret_version_id"]), ("updated", new))
        self.assertEqual((rollback["result"], rollback["secret_version_id"]), ("updated", old))
        self.assertEqual(rollback["previous_version_id"], new)
        for again in ("promote-again", "rollback-again"):
            self.assertEqual(run.outputs(again)["result"], "unchanged")
        self.assertEqual(self.stored("platforms/release"), FIRST)

        for number, before, after in [
            (1, f'"{old[:8]}<br>AWSCURRENT"', f'"{new[:8]}<br>candidate"'),
            (2, f'"{new[:8]}<br>candidate"', f'"{new[:8]}<br>AWSCURRENT<br>candidate"'),
            (4, f'"{old[:8]}<br>AWSPREVIOUS"', f'"{old[:8]}<br>AWSCURRENT"'),
        ]:
            graph = self.draws(run.text(f"summary-{number}"))
            self.assertIn(before, graph.split("subgraph after")[0])
            self.assertIn(after, graph.split("subgraph after")[1])
    def test_create_then_unchanged_then_update(self):
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

    def test_value_env_reads_callers_variable(self):
        run = self.act(HERE / "workflows/value-env.yml", FIRST=FIRST)
        self.assertEqual(run.status, 0, run.log)
        self.assertEqual(run.outputs("secret")["result"], "created")
        self.assertEqual(self.stored("platforms/value-env"), FIRST)

    def test_empty_value_fails_with_annotation(self):
        run = self.act(HERE / "workflows/failure.yml")
        self.assertEqual(run.status, 0, run.log)
        self.assertEqual(run.text("outcome"), "failure")
        # One annotation has the headline, the cause and the next step.
        [annotation] = re.findall(r"::error title=[^:]*::(.*)", run.log)
        self.assertRegex(annotation, r"`value` is empty.*not defined.*%0A.*not passed to workflows.*fork")
        with self.assertRaisesRegex(RuntimeError, "ResourceNotFoundException"):
            self.stored("platforms/failure")

    def workflow_of_the_readme(self, name: str, env: dict[str, str], **secrets: str) -> Run:
        """Checks the job of the replaced Pulumi program: a secret with a description, its value, and two exports."""
        # Both workflows store the same secret, so each has its own sandbox. Their region differs from the environment's.
        self.sandbox.environment["AWS_REGION"] = "us-east-1"
        workflow = self.folder / name
        workflow.write_text(examples()[name])
        run = self.act(workflow, env=env, MODEL_API_KEY=SECOND, **secrets)
        self.assertEqual(run.status, 0, run.log)
        secret = self.sandbox.call("DescribeSecret", SecretId="model-deployment/api-key")
        self.assertEqual(secret["Description"], "API key for AI model deployment workflow")
        self.assertEqual(self.stored("model-deployment/api-key"), SECOND)
        [version] = secret["VersionIdsToStages"]
        self.assertIn(f"Deploying with version {version} of {secret['ARN']}", run.log)
        return run

    def test_readme_workflow_with_oidc(self):
        with CiSandbox(self.sandbox_program) as self.sandbox:
            run = self.workflow_of_the_readme("github-oidc.yml", self.sandbox.keyless() | self.sandbox.github)
            [session] = self.sandbox.sessions()
        self.assertRegex(session, r":assumed-role/store-api-key/upsert-secret-")
        self.assertEqual(leaks(self.sandbox.github["ACTIONS_ID_TOKEN_REQUEST_TOKEN"], run.everything()), [])

    def test_readme_shortest_workflow(self):
        with CiSandbox(self.sandbox_program) as self.sandbox:
            self.sandbox.environment["AWS_REGION"] = "us-east-1"
            workflow = self.folder / "short.yml"
            workflow.write_text(examples()["short.yml"])
            run = self.act(workflow, env=self.sandbox.keyless() | self.sandbox.github, MODEL_API_KEY=SECOND)
            self.assertEqual(run.status, 0, run.log)
            self.assertEqual(self.stored("model-deployment/api-key"), SECOND)

    def test_manual_rollback(self):
        with CiSandbox(self.sandbox_program) as self.sandbox:
            self.sandbox.environment["AWS_REGION"] = "us-east-1"
            name = "model-deployment/api-key"
            self.sandbox.call("CreateSecret", Name=name, SecretString=FIRST, ClientRequestToken=36 * "a")
            self.sandbox.call("PutSecretValue", SecretId=name, SecretString=SECOND, ClientRequestToken=36 * "b")
            workflow = self.folder / "rollback.yml"
            workflow.write_text(examples()["github-rollback.yml"])
            run = self.act(workflow, env=self.sandbox.keyless() | self.sandbox.github, event="workflow_dispatch")
            self.assertEqual(run.status, 0, run.log)
            self.assertEqual(self.stored(name), FIRST)

    def test_scheduled_drift_report(self):
        with CiSandbox(self.sandbox_program) as self.sandbox:
            self.sandbox.environment["AWS_REGION"] = "us-east-1"
            name = "model-deployment/api-key"
            description = "API key for AI model deployment workflow"
            self.sandbox.call("CreateSecret", Name=name, SecretString=SECOND, Description=description, ClientRequestToken=36 * "a")
            workflow = self.folder / "drift.yml"
            workflow.write_text(examples()["github-drift.yml"])

            def run() -> Run:
                keyless = self.sandbox.keyless() | self.sandbox.github
                return self.act(workflow, env=keyless, event="schedule", MODEL_API_KEY=SECOND)

            same = run()
            self.assertEqual(same.status, 0, same.log)
            self.assertIn("::set-output:: result=unchanged", same.log)
            self.sandbox.call("PutSecretValue", SecretId=name, SecretString=FIRST, ClientRequestToken=36 * "b")
            changed = run()
            self.assertNotEqual(changed.status, 0, changed.log)
            self.assertIn("1 secret would change (exit 9)", changed.log)
            self.assertIn("::set-output:: result=updated", changed.log)
            self.assertEqual(self.stored(name), FIRST, "a plan writes nothing")

    def test_readme_release(self):
        with CiSandbox(self.sandbox_program) as self.sandbox:
            self.sandbox.environment["AWS_REGION"] = "us-east-1"
            keyless = self.sandbox.keyless() | self.sandbox.github
            workflow = self.folder / "github-release.yml"
            workflow.write_text(examples()["github-release.yml"])
            run = self.act(workflow, env=keyless, MODEL_API_KEY=SECOND)
            self.assertEqual(run.status, 0, run.log)
            self.assertEqual(self.stored("model-deployment/api-key"), SECOND)

            good = workflow.read_text()
            bad = re.sub(r'(Test the model\n +run: ).*', r"\1exit 1", good)
            self.assertNotEqual(bad, good)
            workflow.write_text(bad)
            run = self.act(workflow, env=keyless, MODEL_API_KEY="made-up-value-of-a-bad-release")
            self.assertNotEqual(run.status, 0, run.log)
            self.assertNotIn("AWSCURRENT again", run.log)
            self.assertEqual(self.stored("model-deployment/api-key"), SECOND, "the version was never current")
            bad = re.sub(r'(Check the release\n +run: ).*', r"\1exit 1", good)
            self.assertNotEqual(bad, good)
            workflow.write_text(bad)
            run = self.act(workflow, env=keyless, MODEL_API_KEY=FIRST)
            self.assertNotEqual(run.status, 0, run.log)
            self.assertIn("AWSCURRENT again", run.log)
            self.assertEqual(self.stored("model-deployment/api-key"), SECOND, "the version was rolled back")

    def test_release_of_many(self):
        secrets = {name: f"made-up-{name}-1" for name in ("MODEL_API_KEY", "DB_USER", "DB_PASSWORD", "SIGNING_KEY")}
        names = ("model-deployment/api-key", "model-deployment/database", "model-deployment/signing-key")
        manifest = self.checkout / ".github" / "release.yaml"
        manifest.parent.mkdir(exist_ok=True)
        manifest.write_text(examples()["release.yaml"])
        workflow = self.folder / "github-releases.yml"
        good = examples()["github-releases.yml"]
        with CiSandbox(self.sandbox_program) as self.sandbox:
            self.sandbox.environment["AWS_REGION"] = "us-east-1"
            keyless = self.sandbox.keyless() | self.sandbox.github
            stored = lambda: [self.stored(name) for name in names]
            workflow.write_text(good)
            run = self.act(workflow, env=keyless, **secrets)
            self.assertEqual(run.status, 0, run.log)
            first = stored()
            secrets |= {"MODEL_API_KEY": "made-up-MODEL_API_KEY-2", "SIGNING_KEY": "made-up-SIGNING_KEY-2"}
            bad = re.sub(r'(Check the release\n +run: ).*', r"\1exit 1", good)
            self.assertNotEqual(bad, good)
            workflow.write_text(bad)
            run = self.act(workflow, env=keyless, **secrets)
            self.assertNotEqual(run.status, 0, run.log)
            self.assertIn("2 secrets in us-east-1: 2 updated", run.log)
            self.assertEqual(stored(), first, "the release was rolled back")
            workflow.write_text(good)
            run = self.act(workflow, env=keyless, **secrets)
            self.assertEqual(run.status, 0, run.log)
            self.assertIn("3 secrets in us-east-1: 2 updated, 1 unchanged", run.log)
            self.assertEqual([first[1], secrets["MODEL_API_KEY"]], [stored()[1], stored()[0]])

    def test_readme_manifest(self):
        secrets = {
            "MODEL_API_KEY": SECOND,
            "DB_USER": "made-up-database-user",
            "DB_PASSWORD": "made-up-'\"$HOME-password",
            "TLS_KEY": "-----BEGIN MADE UP-----\nfirst line of it\n-----END MADE UP-----\n",
        }
        manifest = self.checkout / ".github" / "secrets.yaml"
        manifest.parent.mkdir(exist_ok=True)
        manifest.write_text(examples()["secrets.yaml"])
        workflow = self.folder / "github-manifest.yml"
        workflow.write_text(examples()["github-manifest.yml"])
        with CiSandbox(self.sandbox_program) as self.sandbox:
            self.sandbox.environment["AWS_REGION"] = "us-east-1"
            run = self.act(workflow, env=self.sandbox.keyless() | self.sandbox.github, **secrets)
            self.assertEqual(run.status, 0, run.log)
            self.assertEqual(self.stored("model-deployment/api-key"), SECOND)
            self.assertEqual(self.stored("model-deployment/tls-key"), secrets["TLS_KEY"])
            database = json.loads(self.stored("model-deployment/database"))
            self.assertEqual(database, {"user": secrets["DB_USER"], "password": secrets["DB_PASSWORD"]})
            made = self.stored("model-deployment/session-key")
            self.assertRegex(made, r"^[A-Za-z0-9]{48}$")
            masked = [line for line in run.log.splitlines() if made in line]
            self.assertTrue(all("::add-mask::" in line for line in masked), masked)
            secret = self.sandbox.call("DescribeSecret", SecretId="model-deployment/api-key")
            self.assertEqual([replica["Region"] for replica in secret["ReplicationStatus"]], ["eu-west-2"])
            [version] = secret["VersionIdsToStages"]
            self.assertIn(f"Deploying with version {version}", run.log)

            run = self.act(workflow, env=self.sandbox.keyless() | self.sandbox.github, **secrets)
            self.assertEqual(run.status, 0, run.log)
            self.assertIn("4 secrets in us-east-1: 4 unchanged", run.log)
            self.assertEqual(self.stored("model-deployment/session-key"), made)

    def test_readme_workflow_with_keys(self):
        with CiSandbox(self.sandbox_program) as self.sandbox:
            names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
            keys = {name: self.sandbox.environment[name] for name in names}
            self.workflow_of_the_readme("github-keys.yml", self.sandbox.keyless(), **keys)
            self.assertEqual(self.sandbox.sessions(), [])
