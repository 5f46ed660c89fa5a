"""Tests of `release/check-tag`: which tags may start a release. The remote is a local directory, and each test has its own keys."""

import os
import subprocess
from pathlib import Path
from unittest import mock

from release import VERSION, ReleaseTest, SignedRelease

TAG = f"v{VERSION}-source"


class Tag(SignedRelease, ReleaseTest):
    def check(self, tag: str = TAG, commit: str | None = None) -> subprocess.CompletedProcess:
        return self.script("check-tag", tag, commit or self.head(), self.remote)

    def assert_tag_refused(self, message: str, tag: str = TAG, commit: str | None = None) -> None:
        done = self.check(tag, commit)
        self.assertNotEqual(done.returncode, 0, done.stderr)
        self.assertIn(message, done.stderr)

    def test_signed_tag_is_accepted(self):
        self.sign(TAG)
        done = self.check()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("manager@example.com", done.stderr)

    def test_tag_is_read_from_the_remote(self):
        """The checkout may have a lightweight tag instead of the signed one."""
        self.sign(TAG)
        self.git("tag", "--force", TAG, "HEAD^{commit}", folder=self.source)
        self.assertEqual(self.check().returncode, 0)
        self.git("push", "--quiet", "--delete", self.remote, TAG, folder=self.source)
        self.assert_tag_refused(f"couldn't find remote ref refs/tags/{TAG}")

    def test_unsigned_tag_is_refused(self):
        for options in (["--no-sign"], ["--annotate", "-mx", "--no-sign"]):
            self.git("tag", "--force", *options, TAG, folder=self.source)
            self.push_tag(TAG)
            self.assert_tag_refused("the tag is not signed: create it" if len(options) == 1 else "not signed by a key in release/allowed-signers")

    def test_signature_of_other_key_is_refused(self):
        self.sign(TAG, self.key("stranger"))
        self.assert_tag_refused("the tag is not signed by a key in release/allowed-signers on main")

    def test_signature_of_gpg_is_refused(self):
        """The signature is rejected even if the machine trusts the key."""
        home = self.source.parent / "gpg"
        home.mkdir(mode=0o700)
        with mock.patch.dict(os.environ, {"GNUPGHOME": str(home)}):
            self.addCleanup(subprocess.run, ["gpgconf", "--kill", "all"], env=os.environ | {"GNUPGHOME": str(home)}, check=False)
            make = ["gpg", "--batch", "--quiet", "--passphrase", "", "--quick-generate-key", "test <test@example.com>"]
            subprocess.run(make, check=True, capture_output=True)
            self.git("tag", "--sign", "-mx", TAG, folder=self.source)
            self.git("verify-tag", TAG, folder=self.source)
            self.push_tag(TAG)
            self.assert_tag_refused("not signed by a key in release/allowed-signers")

    def test_changed_tag_is_refused(self):
        self.sign(TAG)
        signed = self.git("cat-file", "tag", TAG, folder=self.source) + "\n"
        changed = self.source.parent / "changed"
        changed.write_text(signed.replace("\nA release\n", "\nAnother release\n"))
        self.assertNotEqual(changed.read_text(), signed)
        other = self.git("hash-object", "-t", "tag", "-w", changed, folder=self.source)
        self.git("update-ref", f"refs/tags/{TAG}", other, folder=self.source)
        self.push_tag(TAG)
        self.assert_tag_refused("not signed by a key in release/allowed-signers")

    def test_tag_under_other_name_is_refused(self):
        self.sign("v0.0.1-source")
        self.git("push", "--quiet", self.remote, f"refs/tags/v0.0.1-source:refs/tags/{TAG}", folder=self.source)
        self.assert_tag_refused("the signature is for the tag v0.0.1-source")

    def test_other_commit_is_refused(self):
        self.sign(TAG)
        started = self.head()
        later = self.commit_source()
        self.git("push", "--quiet", self.remote, "HEAD:refs/heads/main", folder=self.source)
        self.assert_tag_refused(f"the tag does not point to {later}", commit=later)
        self.assertEqual(self.check(commit=started).returncode, 0)

    def test_commit_outside_main_is_refused(self):
        """The commit's own list of allowed signers has no effect."""
        self.allow(self.key("stranger"))
        self.commit_source()
        self.sign(TAG, self.key("stranger"))
        self.assert_tag_refused(f"{self.head()} is not on the branch main")

    def test_removed_key_is_refused(self):
        """The list at the tip of `main` applies, even if the tagged commit still lists the key."""
        self.sign(TAG)
        tagged = self.head()
        self.allow(self.key("successor"))
        self.commit_source()
        self.git("push", "--quiet", self.remote, "HEAD:refs/heads/main", folder=self.source)
        self.assert_tag_refused("not signed by a key in release/allowed-signers", commit=tagged)

    def test_empty_list_allows_no_key(self):
        self.sign(TAG)
        tagged = self.head()
        signers = self.source / "release/allowed-signers"
        signers.write_text(self.pristine_signers())
        self.commit_source()
        self.git("push", "--quiet", self.remote, "HEAD:refs/heads/main", folder=self.source)
        self.assert_tag_refused("not signed by a key in release/allowed-signers", commit=tagged)

    def pristine_signers(self) -> str:
        """The original file, which has comments but no keys."""
        lines = Path(self.pristine / "release/allowed-signers").read_text().splitlines(keepends=True)
        return "".join(line for line in lines if line.startswith("#"))
