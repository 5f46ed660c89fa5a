"""Publishing a release: the branch `dist`, the tags, and the files of the release page. The remote is a local directory."""

import hashlib
import os
import re
import subprocess
import tarfile
import unittest.mock
from pathlib import Path

from release import PLATFORMS, VERSION, ReleaseTest

MAJOR = f"v{VERSION.split('.')[0]}"


class Publish(ReleaseTest):
    def setUp(self):
        super().setUp()
        self.remote = self.tree.parent / "remote.git"
        self.git("init", "--quiet", "--bare", self.remote)
        self.git("init", "--quiet", self.source)
        self.commit_source()
        self.assembled()

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

    def ran(self, script: str, *arguments) -> str:
        done = self.script(script, *arguments)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout.strip()

    def refs(self) -> dict[str, str]:
        lines = self.git("for-each-ref", "--format=%(refname) %(objectname)", folder=self.remote).splitlines()
        return dict(line.split() for line in lines)

    def released(self) -> str:
        commit = self.ran("commit", self.tree, self.remote)
        self.ran("push", commit, self.remote)
        self.ran("push", "--major", commit, self.remote)
        return commit

    def next_version(self, old: str, new: str) -> None:
        """Prepares the source and the tree of another version."""
        self.change("Cargo.toml", f'version = "{old}"', f'version = "{new}"')
        for crate in ["upsert-secret", "upsert-secret-aws", "upsert-secret-config", "upsert-secret-core"]:
            self.change("Cargo.lock", f'name = "{crate}"\nversion = "{old}"', f'name = "{crate}"\nversion = "{new}"')
        self.change("CHANGELOG.md", f"## [{old}]", f"## [{new}]")
        self.ran("pin")
        for platform in PLATFORMS:
            self.built(platform).write_text(f"#!/bin/sh\necho upsert-secret {new}\n")
        self.commit_source()
        self.tree = self.tree.parent / f"tree of {new}"
        self.assembled()

    def test_first_release(self):
        source = self.git("rev-parse", "HEAD", folder=self.source)
        commit = self.released()
        tag = f"refs/tags/v{VERSION}"
        self.assertEqual(self.refs(), {"refs/heads/dist": commit, tag: commit, f"refs/tags/{MAJOR}": commit})
        message = self.git("show", "--no-patch", "--format=%B", commit, folder=self.remote)
        self.assertEqual(message, f"v{VERSION}\n\nSource: {source}")
        self.assertEqual(self.git("rev-list", "--count", commit, folder=self.remote), "1")

        # A checkout of the commit has the tree's files and modes.
        checkout = self.tree.parent / "checkout"
        self.git("clone", "--quiet", "--branch", "dist", self.remote, checkout)
        self.ran("verify", checkout)
        for path, file in self.files().items():
            self.assertEqual((checkout / path).read_bytes(), file.read_bytes(), path)

    def test_rerun_changes_nothing(self):
        commit = self.released()
        before = self.refs()
        self.assertEqual(self.released(), commit)
        self.assertEqual(self.refs(), before)

    def test_commit_is_reproducible(self):
        (self.source / ".git/info/exclude").write_text("bin\n*.md\n")
        self.git("config", "user.name", "somebody", folder=self.source)
        self.git("config", "core.autocrlf", "true", folder=self.source)
        self.git("config", "core.fileMode", "false", folder=self.source)
        other = self.ran("commit", self.tree, self.remote)
        for name in ("user.name", "core.autocrlf", "core.fileMode"):
            self.git("config", "--unset", name, folder=self.source)
        self.assertEqual(self.ran("commit", self.tree, self.remote), other)
        listing = self.git("ls-tree", "-r", other, folder=self.source).splitlines()
        self.assertEqual(len(listing), len(self.files()))
        executable = {line.split("\t")[1] for line in listing if line.startswith("100755")}
        self.assertEqual(executable, {path for path in self.files() if path.startswith("bin/")})

    def test_published_release_is_immutable(self):
        self.released()
        before = self.refs()
        self.commit_source()
        self.assert_refused(f"v{VERSION} is released already, with other content", "commit", self.tree, self.remote)
        self.assertEqual(self.refs(), before)

    def test_dist_and_tag_are_pushed_atomically(self):
        commit = self.ran("commit", self.tree, self.remote)
        # Another tag of this name is pushed first.
        other = self.git("commit-tree", f"{commit}^{{tree}}", "-m", "other", folder=self.source)
        self.git("push", "--quiet", self.remote, f"{other}:refs/tags/v{VERSION}", folder=self.source)
        self.assert_refused("atomic", "push", commit, self.remote)
        self.assertEqual(self.refs(), {f"refs/tags/v{VERSION}": other})
        self.assert_refused(f"v{VERSION} of {self.remote} is {other}, not {commit}", "push", "--major", commit, self.remote)

    def test_modified_tree_is_not_committed(self):
        (self.tree / "action.yml").write_text("name: other\n")
        self.assert_refused("checksum did NOT match", "commit", self.tree, self.remote)

    def test_next_release_moves_major_tag(self):
        first = self.released()
        major, minor, patch = VERSION.split(".")
        new = f"{major}.{minor}.{int(patch) + 1}"
        self.next_version(VERSION, new)
        second = self.released()
        refs = self.refs()
        self.assertEqual(self.git("rev-parse", f"{second}^", folder=self.remote), first)
        self.assertEqual((refs[f"refs/tags/v{VERSION}"], refs[f"refs/tags/v{new}"]), (first, second))
        self.assertEqual((refs[f"refs/tags/{MAJOR}"], refs["refs/heads/dist"]), (second, second))

    def test_rerun_after_newer_release_finds_its_commit(self):
        first, tree = self.released(), self.tree
        source = self.git("rev-parse", "HEAD", folder=self.source)
        major, minor, patch = VERSION.split(".")
        self.next_version(VERSION, f"{major}.{minor}.{int(patch) + 1}")
        self.released()
        self.git("checkout", "--quiet", source, folder=self.source)
        before = self.refs()
        self.assertEqual(self.ran("commit", tree, self.remote), first)
        self.ran("push", first, self.remote)
        self.assertIn("stays: ", self.ran("push", "--major", first, self.remote))
        self.assertEqual(self.refs(), before)

    def test_older_release_keeps_major_tag(self):
        first = self.ran("commit", self.tree, self.remote)
        self.ran("push", first, self.remote)
        newer = f"{MAJOR}.999.10"
        self.git("push", "--quiet", self.remote, f"{first}:refs/tags/{newer}", folder=self.source)
        self.git("push", "--quiet", self.remote, f"{first}:refs/tags/{MAJOR}.999.9", folder=self.source)
        says = self.ran("push", "--major", first, self.remote)
        self.assertEqual(says, f"{MAJOR} stays: {newer} is newer than v{VERSION}")
        self.assertNotIn(f"refs/tags/{MAJOR}", self.refs())

    def test_deploy_key_is_limited_to_one_command(self):
        look = 'eval "set -- $GIT_SSH_COMMAND"; stat -c %a "$5"; cat "$5"; echo "$5"; env'
        key = "made-up-key\nof two lines"
        with unittest.mock.patch.dict(os.environ, {"DEPLOY_KEY": key}):
            mode, first, second, path, *environment = self.ran("with-key", "sh", "-c", look).splitlines()
        self.assertEqual((mode, f"{first}\n{second}"), ("600", key))
        self.assertFalse(Path(path).exists())
        self.assertFalse([line for line in environment if "DEPLOY_KEY" in line or "made-up" in line])
        self.assert_refused("DEPLOY_KEY: is the secret of the environment release", "with-key", "true")

    def test_release_page_files(self):
        folder, again = self.tree.parent / "assets", self.tree.parent / "again"
        self.ran("assets", self.tree, folder)
        names = {path.name for path in folder.iterdir()}
        archives = {f"upsert-secret-{VERSION}-{platform}.tar.gz" for platform in PLATFORMS}
        self.assertEqual(names, archives | {f"upsert-secret-{VERSION}.cdx.json", "SHA256SUMS"})
        sums = dict(line.split("  ")[::-1] for line in (folder / "SHA256SUMS").read_text().splitlines())
        self.assertEqual(set(sums), names - {"SHA256SUMS"})
        for name, expected in sums.items():
            self.assertEqual(hashlib.sha256((folder / name).read_bytes()).hexdigest(), expected)
        with tarfile.open(folder / f"upsert-secret-{VERSION}-linux-x64.tar.gz") as archive:
            root = f"upsert-secret-{VERSION}-linux-x64"
            binary = archive.getmember(f"{root}/upsert-secret")
            self.assertEqual((binary.mode & 0o777, binary.uid), (0o755, 0))
            self.assertEqual(archive.extractfile(binary).read(), self.built("linux-x64").read_bytes())
            self.assertTrue({f"{root}/LICENSE", f"{root}/licences/crates.txt"} <= set(archive.getnames()))
        sbom = (folder / f"upsert-secret-{VERSION}.cdx.json").read_text()
        self.assertIn('"pkg:cargo/rustls@', sbom)
        self.assertIn('"CycloneDX"', sbom)
        self.assertNotRegex(sbom, r"serialNumber|file:///(?!upsert-secret)")

        self.ran("assets", self.tree, again)
        self.assertEqual((again / "SHA256SUMS").read_text(), (folder / "SHA256SUMS").read_text())

    def test_release_page_text(self):
        self.change("CHANGELOG.md", f"## [{VERSION}] - 2026-01-02\n", f"## [{VERSION}] - 2026-01-02\n\n- This.\n\n## [0.0.1] - x\n\n- Old.\n\n")
        notes = self.ran("notes", 40 * "a", "ghcr.io/x/y@sha256:1")
        self.assertTrue(notes.startswith("- This.\n\n### Pin it"), notes)
        self.assertNotIn("Old.", notes)
        self.assertIn(f"upsert-secret/upsert-secret@{40 * 'a'} # v{VERSION}", notes)
        self.assertEqual(len(re.findall(r"gh attestation verify \S+", notes)), 2)
