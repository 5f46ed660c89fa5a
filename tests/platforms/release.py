"""Runs the scripts of `release/` in a copy of the source, with stubs instead of binaries. Owns the copy, which each test may
change; the tests decide what a script must do.
"""

import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VERSION = re.search(r'^version = "(.*)"$', (ROOT / "Cargo.toml").read_text(), re.M)[1]
PLATFORMS = dict(line.split() for line in (ROOT / "release/platforms").read_text().splitlines() if line[0] != "#")

# The image that a released component refers to.
DIGEST = f"sha256:{'ab' * 32}"
IMAGE = ("--image", DIGEST)


def name(platform: str) -> str:
    return "upsert-secret.exe" if platform.startswith("windows-") else "upsert-secret"


class ReleaseTest(unittest.TestCase):
    """Base class of tests that run scripts of `release/`."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.pristine = Path(folder.name) / "source"
        files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
        for path in files.decode().strip("\0").split("\0"):
            if (ROOT / path).exists():
                (cls.pristine / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / path, cls.pristine / path)
        # On the day of a release, the changelog names the version and the date.
        changes = cls.pristine / "CHANGELOG.md"
        text, count = re.subn(r"^## .*$", f"## [{VERSION}] - 2026-01-02", changes.read_text(), count=1, flags=re.M)
        assert count == 1
        changes.write_text(text)

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        # A directory name may contain spaces and quotes.
        self.source = Path(folder.name) / "it's a source"
        shutil.copytree(self.pristine, self.source)
        self.tree = Path(folder.name) / "it's a tree"
        # Share the compiled tools between tests.
        tools = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "ci"
        tools.mkdir(parents=True, exist_ok=True)
        (self.source / "target").mkdir()
        (self.source / "target/ci").symlink_to(tools.resolve())
        for platform in PLATFORMS:
            self.built(platform).parent.mkdir(parents=True)
            self.built(platform).write_text(f"#!/bin/sh\n# {platform}\necho upsert-secret {VERSION}\n")
            self.built(platform).chmod(0o755)

    def built(self, platform: str) -> Path:
        return self.source / "target" / PLATFORMS[platform] / "release" / name(platform)

    def change(self, path: str, old: str, new: str) -> None:
        text = (self.source / path).read_text()
        self.assertIn(old, text)
        (self.source / path).write_text(text.replace(old, new))

    def script(self, script: str, *arguments: str | Path) -> subprocess.CompletedProcess:
        environment = {key: value for key, value in os.environ.items() if key != "CARGO_TARGET_DIR"}
        command = [self.source / "release" / script, *arguments]
        return subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False
        )

    def assembled(self, *arguments: str) -> str:
        done = self.script("assemble", *(arguments or IMAGE), self.tree)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def assert_refused(self, says: str, script: str = "assemble", *arguments: str | Path) -> None:
        done = self.script(script, *(arguments or [*IMAGE, self.tree]))
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn(says, done.stderr)

    def files(self) -> dict[str, Path]:
        return {str(path.relative_to(self.tree)): path for path in self.tree.rglob("*") if path.is_file()}
