"""Runs the scripts in `release/` in a copy of the source, with stubs instead of binaries. Owns the copy, which each test may
change; the tests decide what a script must do.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest.mock
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VERSION = re.search(r'^version = "(.*)"$', (ROOT / "Cargo.toml").read_text(), re.M)[1]
PLATFORMS = dict(line.split() for line in (ROOT / "release/platforms").read_text().splitlines() if line[0] != "#")

# The image that a released component refers to.
DIGEST = f"sha256:{'ab' * 32}"
IMAGE = ("--image", DIGEST)


def name(platform: str) -> str:
    return "upsert-secret.exe" if platform.startswith("windows-") else "upsert-secret"


def digest(path: Path) -> str:
    """The SHA-256 of a file, or of a directory's SHA256SUMS."""
    return hashlib.sha256((path / "SHA256SUMS" if path.is_dir() else path).read_bytes()).hexdigest()


def list_sums(folder: Path) -> None:
    """Updates a directory's SHA256SUMS to match its files."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / "SHA256SUMS")
    (folder / "SHA256SUMS").write_text("".join(f"{digest(path)}  {path.relative_to(folder)}\n" for path in files))


def lay_out(folder: Path, content: bytes = b"a made-up blob") -> str:
    """Writes an OCI layout like `container/push`, with an image of this content. Returns the image's digest."""
    (folder / "blobs/sha256").mkdir(parents=True)

    def blob(data: bytes) -> dict:
        name = hashlib.sha256(data).hexdigest()
        (folder / "blobs/sha256" / name).write_bytes(data)
        return {"digest": f"sha256:{name}", "size": len(data)}

    image = blob(json.dumps({"manifests": [blob(json.dumps({"layers": [blob(content)]}).encode())]}).encode())
    (folder / "index.json").write_text(json.dumps({"manifests": [image]}))
    return image["digest"]


class ReleaseTest(unittest.TestCase):
    """Base class of tests that run scripts in `release/`."""

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

    def git(self, *arguments, folder=None) -> str:
        identity = ["-c", "user.name=test", "-c", "user.email=test@example.com"]
        done = subprocess.run(
            ["git", *(["-C", folder] if folder else []), *identity, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.strip()

    def commit_source(self) -> str:
        self.git("add", "--all", folder=self.source)
        self.git("commit", "--quiet", "--allow-empty", "-mx", folder=self.source)
        return self.git("rev-parse", "HEAD", folder=self.source)

    def program(self, name: str, script: str) -> None:
        """Replaces a program on PATH with a stub for the rest of the test."""
        folder = self.source.parent / "programs"
        if not folder.exists():
            folder.mkdir()
            self.enterContext(unittest.mock.patch.dict(os.environ, {"PATH": f"{folder}:{os.environ['PATH']}"}))
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)

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

    def ran(self, script: str, *arguments: str | Path) -> str:
        done = self.script(script, *arguments)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout.strip()

    def assembled(self, *arguments: str) -> str:
        done = self.script("assemble", *(arguments or IMAGE), self.tree)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def assert_refused(self, message: str, script: str = "assemble", *arguments: str | Path) -> None:
        done = self.script(script, *(arguments or [*IMAGE, self.tree]))
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn(message, done.stderr)

    def files(self) -> dict[str, Path]:
        return {str(path.relative_to(self.tree)): path for path in self.tree.rglob("*") if path.is_file()}


class SignedRelease:
    """Mixin for tests of signed tags: a remote whose branch `main` has the source and lists the key of a release manager."""

    def setUp(self):
        super().setUp()
        self.remote = self.source.parent / "remote.git"
        self.git("init", "--quiet", "--bare", self.remote)
        self.git("init", "--quiet", self.source)
        self.git("remote", "add", "origin", self.remote, folder=self.source)
        self.manager = self.key("manager")
        self.allow(self.manager)
        self.commit_source()
        self.git("push", "--quiet", self.remote, "HEAD:refs/heads/main", folder=self.source)

    def key(self, owner: str) -> Path:
        path = self.source.parent / owner
        if not path.exists():
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", path], check=True)
        return path

    def allow(self, key: Path) -> None:
        """Makes this key the only allowed signer."""
        public = key.with_suffix(".pub").read_text()
        (self.source / "release/allowed-signers").write_text(f'{key.name}@example.com namespaces="git" {public}')

    def sign(self, tag: str, key: Path | None = None) -> None:
        options = ["-c", "gpg.format=ssh", "-c", f"user.signingKey={key or self.manager}"]
        self.git(*options, "tag", "--sign", "-m", "A release", tag, folder=self.source)
        self.push_tag(tag)

    def push_tag(self, tag: str) -> None:
        self.git("push", "--quiet", "--force", self.remote, f"refs/tags/{tag}", folder=self.source)

    def head(self) -> str:
        return self.git("rev-parse", "HEAD", folder=self.source)
