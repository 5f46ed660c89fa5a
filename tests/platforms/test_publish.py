"""Tests of publishing a release: the branch `dist`, the tags, and the release page. The remote is a local directory."""

import hashlib
import os
import re
import shutil
import tarfile
import unittest.mock
from pathlib import Path

from release import DIGEST, PLATFORMS, VERSION, ReleaseTest, digest, lay_out, list_sums

MAJOR = f"v{VERSION.split('.')[0]}"


class Publish(ReleaseTest):
    def setUp(self):
        super().setUp()
        self.remote = self.tree.parent / "remote.git"
        self.git("init", "--quiet", "--bare", self.remote)
        self.git("init", "--quiet", self.source)
        self.commit_source()
        self.assembled()

    def refs(self) -> dict[str, str]:
        lines = self.git("for-each-ref", "--format=%(refname) %(objectname)", folder=self.remote).splitlines()
        return dict(line.split() for line in lines)

    def released(self) -> str:
        commit = self.committed()
        self.ran("push", commit, self.remote)
        self.ran("push", "--major", commit, self.remote)
        return commit

    def committed(self) -> str:
        return self.ran("commit", digest(self.tree), self.tree, self.remote)

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
        shutil.rmtree(checkout / ".git")
        self.ran("verify", digest(self.tree), checkout)
        for path, file in self.files().items():
            self.assertEqual((checkout / path).read_bytes(), file.read_bytes(), path)

    def test_rerun_changes_nothing(self):
        commit = self.released()
        before = self.refs()
        self.assertEqual(self.released(), commit)
        self.assertEqual(self.refs(), before)

    def test_commit_is_reproducible(self):
        (self.source / ".git/info/exclude").write_text("bin\n*.md\n")
        self.git("config", "user.name", "another user", folder=self.source)
        self.git("config", "core.autocrlf", "true", folder=self.source)
        self.git("config", "core.fileMode", "false", folder=self.source)
        other = self.committed()
        for name in ("user.name", "core.autocrlf", "core.fileMode"):
            self.git("config", "--unset", name, folder=self.source)
        self.assertEqual(self.committed(), other)
        listing = self.git("ls-tree", "-r", other, folder=self.source).splitlines()
        self.assertEqual(len(listing), len(self.files()))
        executable = {line.split("\t")[1] for line in listing if line.startswith("100755")}
        self.assertEqual(executable, {path for path in self.files() if path.startswith("bin/")})

    def test_published_release_is_immutable(self):
        self.released()
        before = self.refs()
        self.commit_source()
        self.assert_refused(f"v{VERSION} is already released with different content", "commit", digest(self.tree), self.tree, self.remote)
        self.assertEqual(self.refs(), before)

    def test_dist_and_tag_are_pushed_atomically(self):
        commit = self.committed()
        # Another run pushes a different tag with this name first.
        other = self.git("commit-tree", f"{commit}^{{tree}}", "-m", "other", folder=self.source)
        self.git("push", "--quiet", self.remote, f"{other}:refs/tags/v{VERSION}", folder=self.source)
        self.assert_refused("atomic", "push", commit, self.remote)
        self.assertEqual(self.refs(), {f"refs/tags/v{VERSION}": other})
        self.assert_refused(f"v{VERSION} of {self.remote} is {other}, not {commit}", "push", "--major", commit, self.remote)

    def test_modified_tree_is_not_committed(self):
        assembled = digest(self.tree)
        (self.tree / "action.yml").write_text("name: other\n")
        self.assert_refused("checksum did NOT match", "commit", assembled, self.tree, self.remote)
        list_sums(self.tree)
        self.assert_refused(f"instead of {assembled}", "commit", assembled, self.tree, self.remote)
        self.assertEqual(self.refs(), {})

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
        self.assertEqual(self.ran("commit", digest(tree), tree, self.remote), first)
        self.ran("push", first, self.remote)
        self.assertIn("not moved: ", self.ran("push", "--major", first, self.remote))
        self.assertEqual(self.refs(), before)

    def test_older_release_keeps_major_tag(self):
        first = self.committed()
        self.ran("push", first, self.remote)
        newer = f"{MAJOR}.999.10"
        self.git("push", "--quiet", self.remote, f"{first}:refs/tags/{newer}", folder=self.source)
        self.git("push", "--quiet", self.remote, f"{first}:refs/tags/{MAJOR}.999.9", folder=self.source)
        output = self.ran("push", "--major", first, self.remote)
        self.assertEqual(output, f"{MAJOR} not moved: {newer} is newer than v{VERSION}")
        self.assertNotIn(f"refs/tags/{MAJOR}", self.refs())

    def test_deploy_key_is_limited_to_one_command(self):
        look = 'eval "set -- $GIT_SSH_COMMAND"; stat -c %a "$5"; cat "$5"; echo "$5"; env'
        key = "made-up-key\nof two lines"
        with unittest.mock.patch.dict(os.environ, {"DEPLOY_KEY": key}):
            mode, first, second, path, *environment = self.ran("with-key", "sh", "-c", look).splitlines()
        self.assertEqual((mode, f"{first}\n{second}"), ("600", key))
        self.assertFalse(Path(path).exists())
        self.assertFalse([line for line in environment if "DEPLOY_KEY" in line or "made-up" in line])
        self.assert_refused("DEPLOY_KEY: is not set; it is a secret of the environment release", "with-key", "true")

    def test_only_announced_image_is_pushed(self):
        """Uses a stub of skopeo that records its arguments."""
        layout, asked = self.tree.parent / "layout", self.tree.parent / "asked"
        self.program("skopeo", f"echo \"$*\" >>'{asked}'")
        image = f"ghcr.io/x/y@{lay_out(layout)}"
        self.ran("image", "push", layout, image)
        self.ran("image", "tag", image, VERSION)
        self.assertEqual(
            [line.split()[-2:] for line in asked.read_text().splitlines()],
            [[f"oci:{layout}:image", f"docker://{image}"], [f"docker://{image}", f"docker://ghcr.io/x/y:{VERSION}"]],
        )
        asked.unlink()

        for nothing in ("ghcr.io/x/y@", "ghcr.io/x/y", "ghcr.io/x/y@sha256:", f"@{DIGEST}", ""):
            for arguments in [("push", layout, nothing), ("tag", nothing, VERSION)]:
                self.assert_refused("is not an image reference with a digest", "image", *arguments)
        self.assert_refused(f"not ghcr.io/x/y@{DIGEST}", "image", "push", layout, f"ghcr.io/x/y@{DIGEST}")
        for blob in (layout / "blobs/sha256").iterdir():
            with self.subTest(blob.name):
                content = blob.read_bytes()
                blob.write_bytes(content + b" ")
                self.assert_refused(f"instead of {blob.name}", "image", "push", layout, image)
                blob.write_bytes(content)
        shutil.rmtree(layout)
        lay_out(layout, b"another image")
        self.assert_refused(f"not {image}", "image", "push", layout, image)
        self.assertFalse(asked.exists())

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
        self.assert_refused("is not an image reference with a digest", "notes", 40 * "a", "ghcr.io/x/y@")
        notes = self.ran("notes", 40 * "a", f"ghcr.io/x/y@{DIGEST}")
        self.assertTrue(notes.startswith("- This.\n\n### Pin this release"), notes)
        self.assertNotIn("Old.", notes)
        self.assertIn(f"upsert-secret/upsert-secret@{40 * 'a'} # v{VERSION}", notes)
        self.assertEqual(len(re.findall(r"gh attestation verify \S+", notes)), 2)
