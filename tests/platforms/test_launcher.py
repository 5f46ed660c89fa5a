"""The Unix launcher: which binary it starts, and its error messages."""

import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Prints its path, its process ID, and what it received.
STUB = """#!/bin/sh
printf '%s\\n' "$0" "$$"
printf '%s' "$UPSERT_SECRET_VALUE" >"$VALUE_SEEN"
exit 42
"""

VALUE = " $(id) `id` \"quoted\" 'quoted' \\n * %s\n::error::second line\t\u00e9\u202e\n\n"


class Launcher(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        # A runner's directory may contain spaces and quotes.
        self.tree = Path(folder.name) / "it's a tree"
        self.tree.mkdir()
        self.outside = self.stub(Path(folder.name) / "outside")
        self.seen = Path(folder.name) / "value"

    def stub(self, path: Path) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(STUB)
        path.chmod(0o755)
        return path

    def launch(self, shell: tuple[str, ...] = ("sh",), **environment: str) -> tuple[int, subprocess.CompletedProcess]:
        environment = {
            "PATH": os.environ["PATH"],
            "GITHUB_ACTION_PATH": str(self.tree),
            "RUNNER_OS": "Linux",
            "RUNNER_ARCH": "X64",
            "UPSERT_SECRET_VALUE": VALUE,
            "VALUE_SEEN": str(self.seen),
        } | environment
        words = " ".join(shell)
        command = [*shell, "-e", "-c", f'exec {words} "{ROOT}/action/launch.sh"']
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        out, err = process.communicate(timeout=30)
        return process.pid, subprocess.CompletedProcess(command, process.returncode, out, err)

    def test_starts_binary_of_the_platform(self):
        for os_name, arch, platform in [
            ("Linux", "X64", "linux-x64"),
            ("Linux", "ARM64", "linux-arm64"),
            ("macOS", "X64", "darwin-x64"),
            ("macOS", "ARM64", "darwin-arm64"),
        ]:
            with self.subTest(platform):
                binary = self.stub(self.tree / "bin" / platform / "upsert-secret")
                pid, done = self.launch(RUNNER_OS=os_name, RUNNER_ARCH=arch)
                # The process ID is the same, so the runner's signals reach the binary.
                self.assertEqual(done.stdout.splitlines(), [str(binary), str(pid)])
                self.assertEqual(done.stderr, "")
                self.assertEqual(done.returncode, 42)
                self.assertEqual(self.seen.read_bytes().decode(), VALUE)

    def test_runs_in_any_shell_without_commands(self):
        """A container may have neither bash nor any command in PATH."""
        self.stub(self.tree / "bin/linux-x64/upsert-secret")
        shells = {(path,) for name in ("sh", "dash", "bash", "ksh", "zsh") if (path := shutil.which(name))}
        shells |= {(path, "sh") for name in ("busybox", "toybox") if (path := shutil.which(name))}
        for shell in shells:
            with self.subTest(shell):
                _, done = self.launch(shell, PATH=str(self.tree))
                self.assertEqual((done.returncode, done.stderr), (42, ""))
                self.assertEqual(self.seen.read_bytes().decode(), VALUE)
                self.seen.unlink()
                _, done = self.launch(shell, PATH=str(self.tree), RUNNER_ARCH="ARM64")
                self.assert_refused(done, "This release has no binary for linux-arm64.")

    def test_non_executable_binary_is_refused(self):
        self.stub(self.tree / "bin/linux-x64/upsert-secret").chmod(0o644)
        _, done = self.launch()
        self.assert_refused(done, "This release has no binary for linux-x64.")

    def test_missing_platform_is_named(self):
        self.stub(self.tree / "bin/linux-x64/upsert-secret")
        for os_name, arch, platform in [
            ("Linux", "ARM", "linux-ARM"),
            ("Linux", "X86", "linux-X86"),
            ("macOS", "ARM64", "darwin-arm64"),
            ("FreeBSD", "X64", "FreeBSD-x64"),
            ("", "", "unknown-unknown"),
        ]:
            with self.subTest(platform):
                _, done = self.launch(RUNNER_OS=os_name, RUNNER_ARCH=arch)
                self.assert_refused(done, f"This release has no binary for {platform}.")

    def test_release_ignores_external_binary(self):
        (self.tree / "bin").mkdir()
        _, done = self.launch(UPSERT_SECRET_BIN=str(self.outside))
        self.assert_refused(done, "This release has no binary for linux-x64.")

        binary = self.stub(self.tree / "bin/linux-x64/upsert-secret")
        pid, done = self.launch(UPSERT_SECRET_BIN=str(self.outside))
        self.assertEqual(done.stdout.splitlines(), [str(binary), str(pid)])

    def test_source_checkout_uses_given_binary(self):
        pid, done = self.launch(UPSERT_SECRET_BIN=str(self.outside))
        self.assertEqual(done.stdout.splitlines(), [str(self.outside), str(pid)])
        self.assertEqual(done.returncode, 42)

    def test_source_checkout_without_binary_fails(self):
        for binary, says in [
            ("", "This commit is a source checkout"),
            (str(self.tree / "absent"), "UPSERT_SECRET_BIN does not name an executable file."),
        ]:
            with self.subTest(says):
                _, done = self.launch(UPSERT_SECRET_BIN=binary)
                self.assert_refused(done, says)

    def assert_refused(self, done: subprocess.CompletedProcess, says: str):
        self.assertEqual(done.returncode, 2)
        self.assertEqual(done.stdout, "")
        self.assertTrue(done.stderr.startswith(f"::error title=upsert-secret cannot start::{says}"), done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1)
        self.assertFalse(self.seen.exists())
