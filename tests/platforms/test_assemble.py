"""Tests of `release/assemble` and the scripts it calls: the contents of a release, and the faults that prevent one."""

import re
import shutil
from pathlib import Path

from release import DIGEST, IMAGE, PLATFORMS, ROOT, VERSION, ReleaseTest, digest, list_sums, name


class Assemble(ReleaseTest):
    # Set by `run`.
    binary: Path

    def test_tree_is_complete(self):
        output = self.assembled()
        self.assertIn(f"upsert-secret {VERSION} for darwin-arm64 darwin-x64 linux-arm64 linux-x64 windows-x64\n", output)
        self.assertRegex(output, r"tree: \d+ bytes, \d+ % of the limit; \d+ bytes compressed, as GitHub serves it\n")
        files = self.files()
        for path in ["action.yml", "action/launch.sh", "action/launch.ps1", "LICENSE"]:
            self.assertEqual(files[path].read_bytes(), (ROOT / path).read_bytes())
        for platform in PLATFORMS:
            binary = files.pop(f"bin/{platform}/{name(platform)}")
            self.assertEqual(binary.read_bytes(), self.built(platform).read_bytes())
            self.assertEqual(binary.stat().st_mode & 0o777, 0o755)
        self.assertFalse([path for path in files if path.startswith("bin/")])
        self.assertEqual({path.stat().st_mode & 0o777 for path in files.values()}, {0o644})

    def test_platforms_match_launchers(self):
        for launcher in ("launch.sh", "launch.ps1"):
            named = re.search(r"It runs on (.*) runners\.", (ROOT / "action" / launcher).read_text())[1]
            self.assertEqual(set(re.split(r", | and ", named)), set(PLATFORMS))

    def test_links_stay_inside_the_tree(self):
        self.assembled()
        for page in [path for key, path in self.files().items() if key.endswith(".md")]:
            for link in re.findall(r"(?:\]\(|src=\")([^)#:\"]+)(?:#[^)]*)?[)\"]", page.read_text()):
                self.assertTrue((page.parent / link).exists(), f"{page.name} links to {link}")
        for path in re.findall(r"/upsert-secret/raw/v[0-9.]+/(\S+)", (ROOT / "README.md").read_text()):
            self.assertIn(path, self.files())

    def test_tree_is_reproducible(self):
        self.assembled()
        first = {path: file.read_bytes() for path, file in self.files().items()}
        self.tree = self.tree.parent / "again"
        self.assembled()
        self.assertEqual({path: file.read_bytes() for path, file in self.files().items()}, first)

    def test_missing_platform_is_refused(self):
        [absent, *_] = [platform for platform in PLATFORMS if platform.startswith("darwin-")]
        self.built(absent).unlink()
        self.assert_refused(f"no binary for {absent}: target/{PLATFORMS[absent]}/release/upsert-secret does not exist")
        shutil.rmtree(self.tree)
        self.assembled("--development")
        self.assertNotIn(f"bin/{absent}/upsert-secret", self.files())

    def test_existing_folder_is_refused(self):
        self.tree.mkdir()
        (self.tree / ".hidden").write_text("")
        self.assert_refused("is not empty")
        self.assertEqual(list(self.files()), [".hidden"])

    def test_arguments(self):
        tree = self.tree
        for arguments in [[], [tree], [*IMAGE], [*IMAGE, ""], ["--image", "sha256:ab", tree], ["--develop", tree], [*IMAGE, tree, tree]]:
            done = self.script("assemble", *arguments)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertIn("usage: ", done.stderr)

    def test_unreleased_changes_need_development(self):
        self.change("CHANGELOG.md", f"## [{VERSION}] - 2026-01-02", "## [Unreleased]")
        self.assert_refused("CHANGELOG.md: the newest changes are under Unreleased")
        self.assembled("--development")

    def test_inconsistent_versions_are_refused(self):
        pin = "upsert-secret@" + 40 * "a" + " # v"
        for path, old, new, message in [
            ("CHANGELOG.md", f"[{VERSION}]", "[9.9.9]", f"under '## [9.9.9] - 2026-01-02', but Cargo.toml has {VERSION}"),
            ("CHANGELOG.md", "- 2026-01-02", "- soon", "CHANGELOG.md: the newest changes are under"),
            ("Cargo.toml", f'version = "{VERSION}"', 'version = "9.9.9"', "but Cargo.toml has 9.9.9"),
            ("Cargo.toml", f'version = "{VERSION}"', 'version = "9.9"', "the version '9.9' does not have the form 1.2.3"),
            ("README.md", f"# v{VERSION}", "# v9.9.9", "README.md:"),
            ("docs/ci-systems.md", f"/upsert-secret:{VERSION}@", "/upsert-secret:9.9.9@", "docs/ci-systems.md:"),
            ("docs/ci-systems.md", f"/upsert-secret:{VERSION} >", "/upsert-secret:9.9.9 >", "docs/ci-systems.md:"),
            ("docs/security.md", f"upsert-secret-{VERSION}-linux", "upsert-secret-9.9.9-linux", "docs/security.md:"),
            ("docs/security.md", f"refs/tags/v{VERSION}-source", "refs/tags/v9.9.9-source", "docs/security.md:"),
            ("templates/upsert-secret.yml", f"/upsert-secret:{VERSION}@", "/upsert-secret:9.9@", "templates/upsert-secret.yml:"),
            ("README.md", f"/raw/v{VERSION}/", "/raw/v9/", "README.md:"),
            ("docs/guides/manifests.md", f"# v{VERSION}", "# v9.9.9", "docs/guides/manifests.md:"),
            ("action.yml", "name: upsert-secret", f"name: upsert-secret\n# {pin}9.9.9", "action.yml:"),
        ]:
            with self.subTest(f"{path}: {new}"):
                before = (self.source / path).read_text()
                self.change(path, old, new)
                self.assert_refused(message)
                self.assertEqual(self.files(), {})
                (self.source / path).write_text(before)
        self.assembled()

    def test_component_names_its_image(self):
        self.assembled()
        files = self.files()
        for path in ("templates/upsert-secret.yml", "docs/ci-systems.md"):
            named = set(re.findall(r"/upsert-secret:\S+@([\w:]+)", files[path].read_text()))
            self.assertEqual(named, {DIGEST}, path)
        # A tree cannot contain its own commit ID, so the README is unchanged.
        self.assertEqual(files["README.md"].read_text(), (ROOT / "README.md").read_text())

    def test_pin_updates_pages(self):
        paths = ("README.md", "docs/ci-systems.md", "docs/security.md", "docs/guides/manifests.md", "templates/upsert-secret.yml")
        pages = [self.source / path for path in paths]
        before = [page.read_text() for page in pages]
        self.change("Cargo.toml", f'version = "{VERSION}"', 'version = "9.10.11"')
        commit = 40 * "c"
        self.assertEqual(self.script("pin", commit, DIGEST).returncode, 0)
        text = "".join(page.read_text() for page in pages)
        self.assertNotIn(VERSION, text)
        self.assertIn(f"upsert-secret/upsert-secret@{commit} # v9.10.11\n", text)
        self.assertIn(f"/upsert-secret:9.10.11@{DIGEST}", text)
        for arguments in [["x", DIGEST], [commit, "x"], [commit]]:
            self.assertEqual(self.script("pin", *arguments).returncode, 1)
        # Until the next release is published, the pages have a placeholder instead of a commit.
        self.change("Cargo.toml", 'version = "9.10.11"', f'version = "{VERSION}"')
        self.assertEqual(self.script("pin").returncode, 0)
        self.assertEqual([page.read_text() for page in pages], before)

    def test_binary_of_other_version_is_refused(self):
        for platform in PLATFORMS:
            self.built(platform).write_text("#!/bin/sh\necho upsert-secret 9.9.9\n")
        self.assert_refused(f"reports 'upsert-secret 9.9.9', but Cargo.toml has {VERSION}")

    def test_broken_binary_is_refused(self):
        for platform in PLATFORMS:
            self.built(platform).write_text("#!/bin/sh\nexit 1\n")
        self.assert_refused("reports 'nothing'")

    def test_tag_of_other_version_is_refused(self):
        done = self.script("check-version", "--tag", f"v{VERSION}-source")
        self.assertEqual((done.returncode, done.stdout), (0, f"{VERSION}\n"))
        for tag in ("v9.9.9-source", f"v{VERSION}", f"{VERSION}-source"):
            self.assert_refused(f"the tag is {tag}, but", "check-version", "--tag", tag)

    def test_modified_tree_is_refused(self):
        self.assembled()
        assembled = digest(self.tree)
        pristine, self.tree = self.tree, self.tree.parent / "tampered"
        binary = f"bin/linux-x64/{name('linux-x64')}"
        for message, tamper in [
            ("computed checksum did NOT match", lambda: (self.tree / binary).write_text("#!/bin/sh\n")),
            ("> action/more.sh", lambda: (self.tree / "action/more.sh").write_text("")),
            ("No such file", lambda: (self.tree / "action/launch.sh").unlink()),
            ("> link", lambda: (self.tree / "link").symlink_to("LICENSE")),
            (binary, lambda: (self.tree / binary).chmod(0o644)),
            ("wrong mode: ./LICENSE", lambda: (self.tree / "LICENSE").chmod(0o755)),
            (
                "neither a file nor a directory",
                lambda: ((self.tree / "LICENSE").unlink(), (self.tree / "LICENSE").symlink_to(ROOT / "LICENSE")),
            ),
            ("> .git/hook", lambda: ((self.tree / ".git").mkdir(), (self.tree / ".git/hook").write_text(""))),
            # Tampered files with a matching list.
            (f"instead of {assembled}", lambda: ((self.tree / binary).write_text("#!/bin/sh\n"), list_sums(self.tree))),
            (f"instead of {assembled}", lambda: ((self.tree / "action/launch.sh").unlink(), list_sums(self.tree))),
            (f"instead of {assembled}", lambda: ((self.tree / "SHA256SUMS").write_text("none\n"))),
            ("is not a regular file", lambda: (self.tree / "SHA256SUMS").unlink()),
            (
                "is not a regular file",
                lambda: (
                    shutil.move(self.tree / "SHA256SUMS", self.tree.parent / "list"),
                    (self.tree / "SHA256SUMS").symlink_to(self.tree.parent / "list"),
                ),
            ),
        ]:
            with self.subTest(message):
                shutil.copytree(pristine, self.tree)
                self.ran("verify", assembled, self.tree)
                tamper()
                self.assert_refused(message, "verify", assembled, self.tree)
                shutil.rmtree(self.tree)

    def test_file_is_compared_with_its_digest(self):
        binary = self.built("linux-x64")
        expected = digest(binary)
        self.assertEqual(self.ran("digest", binary), expected)
        self.ran("verify", expected, binary)
        binary.write_text("#!/bin/sh\n")
        self.assert_refused(f"instead of {expected}", "verify", expected, binary)

    def test_missing_digest_is_refused(self):
        self.assembled()
        right = digest(self.tree)
        for digest_ in ["", " ", right[:-1], right.upper(), f"sha256:{right}", f"{right}\n{right}"]:
            for path in (self.tree, self.tree / "SHA256SUMS"):
                self.assert_refused("is not a SHA-256", "verify", digest_, path)

    def test_oversized_tree_is_refused(self):
        with self.built("darwin-arm64").open("ab") as binary:
            binary.truncate(40_000_000)
        self.assert_refused("the tree is larger than 40000000 bytes")

    def test_every_crate_has_its_license(self):
        """The crates in the binary are known from its panic locations."""
        place = rb"/cargo/registry/src/[^/]+/([a-zA-Z0-9_-]+)-(\d+\.\d+\.\d+[^/]*)/"
        shipped = {b" ".join(found).decode() for found in re.findall(place, self.binary.read_bytes())}
        self.assertGreater(len(shipped), 40)
        self.assembled()
        overview, *texts = re.split(r"^#{80}\n(.*)\n#{80}$", self.files()["licences/crates.txt"].read_text(), flags=re.M)
        listed = set(re.findall(r"^(\S+ \S+): .", overview, re.M))
        self.assertEqual(shipped - listed, set())
        whole = [users for users, text in zip(texts[::2], texts[1::2]) if len(text) > 500]
        self.assertEqual({crate for users in whole for crate in users.split(", ")}, listed)

    def test_license_pointer_is_refused(self):
        [text, *_] = (self.source / "release/texts").glob("vsimd-*.txt")
        text.write_text("MIT OR Apache-2.0\n")
        self.assert_refused("contains no license text; look for it in https://")

    def test_crate_without_license_text_is_refused(self):
        [text, *_] = (self.source / "release/texts").glob("vsimd-*.txt")
        text.rename(text.with_name("vsimd-0.0.0.txt"))
        done = self.script("assemble", *IMAGE, self.tree)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"(?m)^vsimd \S+ \(MIT\) contains no license text; look for it in https://")
        self.assertIn("release/texts/vsimd-0.0.0.txt matches no crate in Cargo.lock", done.stderr)
        self.assertNotIn("SHA256SUMS", self.files())
