"""Runs pipelines of test_gitlab.py in the image with gitlab-ci-local: the component and the README's plain job."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import test_gitlab
from podman import ContainerTest, fetch, podman

RELEASED = re.compile(r"ghcr\.io/upsert-secret/upsert-secret:0\.1\.0@sha256:[0-9a-f]{64}")
HELPER = "localhost/gitlab-helper"


class GitLabImage(test_gitlab.GitLab):
    executor = ("--container-executable", "podman", "--pull-policy", "if-not-present", "--helper-image", HELPER)
    executor += ("--network", "host")
    # The local configuration of podman.
    surroundings = {name: value for name, value in os.environ.items() if name.startswith("CONTAINERS_")}

    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as folder:
            make_helper(Path(folder))
        cls.addClassCleanup(podman, "rmi", "--force", HELPER)

    def setUp(self):
        super().setUp()
        # A job that runs in a local shell by mistake must not find the binary.
        (self.bin / "upsert-secret").unlink()

    def predefined(self) -> dict[str, str]:
        # The project directory is already correct: it is the container's.
        return {"GITLAB_CI": "true"}

    def commit(self) -> None:
        """Replaces the released image by the local one in all files, then commits."""
        for path in self.project.rglob("*.yml"):
            path.write_text(RELEASED.sub(ContainerTest.image, path.read_text()))
        super().commit()


def make_helper(folder: Path):
    """Builds the image that gitlab-ci-local copies files with: a shell, bash and rsync with its libraries."""
    shutil.copy(fetch(folder / "packages", "bash-static") / "bin/bash-static", folder / "bash")
    rsync = shutil.which("rsync")
    shutil.copy(rsync, folder)
    linked = subprocess.run(["ldd", rsync], check=True, capture_output=True, text=True).stdout
    for path in re.findall(r"(/\S+) \(0x", linked):
        copy = folder / "libraries" / path.lstrip("/")
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    (folder / "Containerfile").write_text(f"FROM {ContainerTest.image}\nCOPY bash rsync /bin/\nCOPY libraries/ /\n")
    podman("build", "--pull-never", "--tag", HELPER, folder)


def load_tests(loader, _tests, _pattern):
    """Selects the tests that depend on the image, because pipelines in containers are slow."""
    names = {"test_readme_component", "test_readme_plain_job", "test_undefined_variable"}
    chosen = names.intersection(loader.getTestCaseNames(GitLabImage))
    return unittest.TestSuite(GitLabImage(name) for name in sorted(chosen))
