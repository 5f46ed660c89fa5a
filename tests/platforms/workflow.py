"""Runs the jobs of a GitHub workflow one by one, so that a test can change what one job passes to the next.

Runs the scripts of `run` steps unchanged. Simulates outputs, artifacts, checkouts, matrices and the few expressions that the
release workflow uses; unknown expressions fail. Runs no actions, but records their inputs.
"""

import fnmatch
import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import yaml


class StepFailed(Exception):
    """A step of a job failed. The text is its output."""


class Workflow:
    def __init__(self, path: Path, checkout: Path, folder: Path, environment: dict[str, str], secrets: dict[str, str]):
        self.jobs = yaml.safe_load(path.read_text())["jobs"]
        self.checkout = checkout
        self.folder = folder
        self.environment = environment
        self.secrets = secrets
        # Outputs by job and name, and a directory for each artifact.
        self.outputs: dict[str, dict[str, str]] = {}
        self.artifacts = folder / "artifacts"
        self.artifacts.mkdir()
        # Name and inputs of each use of an action that is not simulated.
        self.used: list[tuple[str, dict[str, str]]] = []

    def downloads(self, job: str) -> list[str]:
        """Names of the existing artifacts that a job downloads."""
        steps = [step for step in self.jobs[job]["steps"] if "download-artifact" in step.get("uses", "")]
        patterns = [step["with"].get("name") or step["with"]["pattern"] for step in steps]
        names = sorted(artifact.name for artifact in self.artifacts.iterdir())
        return [name for name in names if any(fnmatch.fnmatch(name, pattern) for pattern in patterns)]

    def run(self, job: str) -> str:
        """Runs a job for each entry of its matrix, sets its outputs, and returns the output of its steps."""
        definition = self.jobs[job]
        self.outputs[job] = dict.fromkeys(definition.get("outputs", {}), "")
        printed = ""
        for matrix in definition.get("strategy", {}).get("matrix", {}).get("include", [{}]):
            leg = Leg(self, job, matrix)
            for step in definition["steps"]:
                printed += leg.step(step)
            for name, expression in definition.get("outputs", {}).items():
                self.outputs[job][name] = leg.expand(expression) or self.outputs[job][name]
        return printed


class Leg:
    """One runner: a job, or one combination of its matrix."""

    def __init__(self, workflow: Workflow, job: str, matrix: dict[str, str]):
        self.workflow = workflow
        self.definition = workflow.jobs[job]
        self.matrix = matrix
        needs = self.definition.get("needs", [])
        self.needs = [needs] if isinstance(needs, str) else needs
        self.steps: dict[str, dict[str, str]] = {}
        self.temporary = Path(tempfile.mkdtemp(dir=workflow.folder))
        self.workspace = workflow.checkout

    def expand(self, text: object) -> str:
        return re.sub(r"\$\{\{ (.*?) \}\}", lambda match: self.value(match[1]), str(text))

    def value(self, expression: str) -> str:
        workflow = self.workflow
        if expression == "runner.temp":
            return str(self.temporary)
        if expression == "github.token":
            return "made-up-token"
        kind, *names = re.split(r"[.()]", expression)
        match kind, names:
            case "matrix", [name]:
                return self.matrix[name]
            case "secrets", [name]:
                return workflow.secrets[name]
            case "steps", [step, "outputs", name]:
                return self.steps.get(step, {}).get(name, "")
            case "needs", [job, "outputs", name] if job in self.needs:
                return workflow.outputs[job][name]
            case "toJSON", ["needs", job, "outputs", ""] if job in self.needs:
                return json.dumps(workflow.outputs[job])
        raise ValueError(f"unknown expression: {expression}")

    def step(self, step: dict) -> str:
        condition = step.get("if", "")
        if condition not in ("", "runner.os == 'Linux'"):
            raise ValueError(f"unknown condition: {condition}")
        if condition and "ubuntu" not in self.expand(self.definition["runs-on"]):
            return ""
        if "run" in step:
            return self.script(step)
        inputs = {name: self.expand(value) for name, value in step.get("with", {}).items()}
        self.action(step["uses"].split("@")[0], inputs)
        return ""

    def action(self, name: str, inputs: dict[str, str]) -> None:
        artifacts = self.workflow.artifacts
        if name == "actions/checkout":
            if "path" in inputs:
                self.workspace = self.temporary / "workspace"
                (self.workspace / inputs["path"]).parent.mkdir(parents=True)
                (self.workspace / inputs["path"]).symlink_to(self.workflow.checkout)
        elif name == "actions/upload-artifact":
            shutil.rmtree(artifacts / inputs["name"], ignore_errors=True)
            path = self.workspace / inputs["path"]
            if path.is_dir():
                shutil.copytree(path, artifacts / inputs["name"])
            else:
                (artifacts / inputs["name"]).mkdir()
                shutil.copy(path, artifacts / inputs["name"])
        elif name == "actions/download-artifact":
            for artifact in artifacts.iterdir():
                if artifact.name == inputs.get("name"):
                    shutil.copytree(artifact, inputs["path"], dirs_exist_ok=True)
                elif fnmatch.fnmatch(artifact.name, inputs.get("pattern", "")):
                    shutil.copytree(artifact, Path(inputs["path"]) / artifact.name)
            # Artifacts do not preserve modes.
            for path in Path(inputs["path"]).rglob("*"):
                if path.is_file():
                    path.chmod(0o644)
        else:
            self.workflow.used.append((name, inputs))

    def script(self, step: dict) -> str:
        output = self.temporary / "output"
        output.write_text("")
        given = self.definition.get("env", {}) | step.get("env", {})
        environment = self.workflow.environment | {name: self.expand(value) for name, value in given.items()}
        environment |= {"RUNNER_TEMP": str(self.temporary), "GITHUB_OUTPUT": str(output), "GITHUB_WORKSPACE": str(self.workspace)}
        shell = step.get("shell") or self.definition.get("defaults", {}).get("run", {}).get("shell")
        options = ["-e", "-o", "pipefail"] if shell == "bash" else ["-e"]
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", *options, "-c", step["run"]],
            cwd=self.workspace / step.get("working-directory", ""),
            env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"]} | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        if "id" in step:
            self.steps[step["id"]] = dict(line.split("=", 1) for line in output.read_text().splitlines())
        if done.returncode != 0:
            raise StepFailed(done.stdout)
        return done.stdout
