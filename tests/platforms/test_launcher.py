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

    def test_binary_that_cannot_be_executed_is_reported_as_that(self):
        binary = self.stub(self.tree / "bin/linux-x64/upsert-secret")
        for prepare, says in [
            (lambda: binary.chmod(0o644), " cannot be executed: it lacks the permission, or its file system is mounted with noexec."),
            (lambda: binary.write_text(""), " is empty."),
        ]:
            for environment, named in [
                ({}, "bin/linux-x64/upsert-secret of this release"),
                ({"GITHUB_ACTION_PATH": str(self.seen.parent), "UPSERT_SECRET_BIN": str(binary)}, "The file that UPSERT_SECRET_BIN names"),
            ]:
                with self.subTest(named + says):
                    prepare()
                    _, done = self.launch(**environment)
                    self.assert_refused(done, named + says)
            self.stub(binary)

    def test_binary_on_noexec_mount_is_reported_as_that(self):
        folder = self.tree / "bin/linux-x64"
        folder.mkdir(parents=True)
        script = """
            mount -t tmpfs -o noexec tmpfs "$1" && cp "$2" "$1/upsert-secret" || exit 77
            exec sh "$3"
        """
        done = subprocess.run(
            ["unshare", "--mount", "--map-root-user", "sh", "-c", script, "sh", folder, self.outside, ROOT / "action/launch.sh"],
            env={
                "PATH": os.environ["PATH"],
                "GITHUB_ACTION_PATH": str(self.tree),
                "RUNNER_OS": "Linux",
                "RUNNER_ARCH": "X64",
                "VALUE_SEEN": str(self.seen),
            },
            capture_output=True,
            text=True,
        )
        if "::error" not in done.stderr and done.returncode != 42:
            self.skipTest(f"this machine cannot mount: {done.stderr}")
        self.assert_refused(done, "bin/linux-x64/upsert-secret of this release cannot be executed")

    def test_executable_is_started_where_the_test_of_it_is_forbidden(self):
        """Old versions of Docker forbid faccessat2, so that `-x` is false for every file."""
        self.stub(self.tree / "bin/linux-x64/upsert-secret")
        blind = Path(self.seen.parent) / "blind"
        # A function with the name of the command takes its place.
        blind.write_text('[() { case $1 in -x) return 1 ;; esac; command [ "$@"; }\n. "$1"\n')
        bash = shutil.which("bash")
        if not bash:
            self.skipTest("no bash")
        done = subprocess.run(
            [bash, blind, ROOT / "action/launch.sh"],
            env={
                "GITHUB_ACTION_PATH": str(self.tree),
                "RUNNER_OS": "Linux",
                "RUNNER_ARCH": "X64",
                "UPSERT_SECRET_VALUE": VALUE,
                "VALUE_SEEN": str(self.seen),
            },
            capture_output=True,
            text=True,
        )
        self.assertEqual((done.returncode, done.stderr), (42, ""))

    def test_missing_platform_is_named(self):
        self.stub(self.tree / "bin/linux-x64/upsert-secret")
        for os_name, arch, platform in [
            ("Linux", "ARM", "linux-arm"),
            ("Linux", "X86", "linux-x86"),
            ("macOS", "ARM64", "darwin-arm64"),
            ("Windows", "X64", "windows-x64"),
        ]:
            with self.subTest(platform):
                _, done = self.launch(RUNNER_OS=os_name, RUNNER_ARCH=arch)
                self.assert_refused(done, f"This release has no binary for {platform}.")

    def test_unknown_platform_is_no_part_of_path_or_message(self):
        self.stub(self.tree / "bin/linux-x64/upsert-secret")
        self.stub(self.tree / "bin/linux-evil/upsert-secret")
        for os_name, arch in [
            ("", ""),
            ("FreeBSD", "X64"),
            ("linux", "X64"),
            ("Linux", "evil"),
            ("Linux", "x64/../linux-x64"),
            ("Linux", "X64\n::set-env name=PATH::evil"),
            ("Linux", "*"),
        ]:
            with self.subTest(arch):
                _, done = self.launch(RUNNER_OS=os_name, RUNNER_ARCH=arch)
                self.assert_refused(done, "RUNNER_OS and RUNNER_ARCH do not name a known platform.")
                self.assertNotIn("evil", done.stderr)

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
            (str(self.tree / "absent"), "UPSERT_SECRET_BIN does not name a file."),
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
