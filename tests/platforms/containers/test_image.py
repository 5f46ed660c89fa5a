"""Tests of the image, run as CI systems run it and with reduced privileges."""

import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import unittest
from pathlib import Path

from podman import PATIENCE, ROOT, ContainerTest, podman
from pages import examples
from tls import Front

BUNDLE = "/etc/ssl/certs/ca-certificates.crt"

# Options that remove a container's privileges.
LOCKED = ["--user", "65532:65532", "--cap-drop", "all", "--security-opt", "no-new-privileges"]
LOCKED += ["--read-only", "--read-only-tmpfs=false"]

VALUE = "made-up-value '\"$HOME `id` &<>+/=?"


class Image(ContainerTest):
    def setUp(self):
        # Files of a container's user may not be deletable by this process.
        folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        # World-writable, like a runner's directories.
        self.shared = self.folder / "shared"
        self.shared.mkdir()
        self.shared.chmod(0o777)

    def upsert(self, name: str, *command: str, options=(), **env: str):
        inputs = {"UPSERT_SECRET_NAME": name, "UPSERT_SECRET_VALUE": VALUE} | env
        ran = self.run_container(*command, options=options, env=inputs)
        self.assert_hidden(VALUE, ran.out, ran.err, ran.shown)
        return ran

    def test_runs_without_arguments(self):
        ran = self.upsert("image/plain")
        self.assertEqual(ran.status, 0, ran.err)
        self.assertEqual(ran.outputs()["result"], "created")
        self.assertEqual(self.stored("image/plain"), VALUE)

    def test_provides_what_ci_systems_expect(self):
        script = """
            set -eu
            for word in sh grep id cat printf env sed awk mkdir chmod rm date sleep su; do
              [ -x "/bin/$word" ] || echo "no $word"
            done
            printf '#!/usr/bin/env sh\\necho started by its shebang\\n' >/tmp/script
            chmod +x /tmp/script
            /tmp/script
            id -u
        """
        ran = self.run_container("sh", "-c", script)
        self.assertEqual((ran.out, ran.err), ("started by its shebang\n0\n", ""))

    def test_runs_without_privileges(self):
        for name, options in [("root", []), ("locked", LOCKED)]:
            with self.subTest(name):
                ran = self.upsert(
                    f"image/{name}",
                    options=[*options, "--volume", f"{self.shared}:/out"],
                    UPSERT_SECRET_OUTPUT_FILE=f"/out/{name}",
                )
                self.assertEqual(ran.status, 0, ran.err)
                outputs = (self.shared / name).read_text()
                self.assertIn("\nresult=created\n", outputs)
                self.assert_hidden(VALUE, outputs)
                self.assertEqual(self.stored(f"image/{name}"), VALUE)

    def test_locked_container_has_no_privileges(self):
        """Checks that the options of the test above are effective."""
        ran = self.run_container("sh", "-c", "id -u; grep CapBnd /proc/self/status; touch /tmp/x", options=LOCKED)
        self.assertEqual(ran.out, "65532\nCapBnd:\t0000000000000000\n")
        self.assertIn("Read-only file system", ran.err)
        self.assertNotEqual(ran.status, 0)

    def test_inspect_shows_value_only_in_environment(self):
        """`podman inspect` shows a container's environment, but not the content of its files."""
        ran = self.upsert("image/environment")
        shown = json.loads(ran.inspect)[0]
        self.assertIn(f"UPSERT_SECRET_VALUE={VALUE}", shown["Config"].pop("Env"))
        self.assert_hidden(VALUE, json.dumps(shown, ensure_ascii=False))

        (self.shared / "value").write_text(VALUE)
        ran = self.upsert(
            "image/file",
            options=["--volume", f"{self.shared}/value:/run/value:ro"],
            UPSERT_SECRET_VALUE="",
            UPSERT_SECRET_VALUE_FILE="/run/value",
        )
        self.assertEqual(ran.status, 0, ran.err)
        self.assertEqual(self.stored("image/file"), VALUE)
        self.assert_hidden(VALUE, ran.inspect)

    def test_readme_command(self):
        """Runs the script unchanged. podman's configuration passes the sandbox's endpoint."""
        script = self.folder / "container.sh"
        script.write_text(examples()["container.sh"])
        released = re.search(r"ghcr\.io/\S+", script.read_text())[0]
        podman("tag", self.image, released)
        self.addCleanup(podman, "rmi", released)
        env = self.sandbox.environment | {"UPSERT_SECRET_NAME": "image/readme", "UPSERT_SECRET_VALUE": VALUE}
        endpoints = [f"{name}={value}" for name, value in env.items() if "ENDPOINT" in name]
        settings = self.folder / "containers.conf"
        containers = f"[containers]\nenv = {json.dumps(endpoints)}\n"
        settings.write_text(Path(os.environ["CONTAINERS_CONF"]).read_text().replace("[containers]\n", containers))

        done = subprocess.run(
            ["sh", script],
            cwd=self.folder,
            env=os.environ | env | {"CONTAINERS_CONF": str(settings)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("\nresult=created\n", (self.folder / "ids.env").read_text())
        self.assertEqual(self.stored("image/readme"), VALUE)
        self.assert_hidden(VALUE, done.stderr, done.stdout, (self.folder / "ids.env").read_text())

    def test_resolves_host_names(self):
        port = self.sandbox.endpoint.rsplit(":", 1)[1]
        ran = self.upsert(
            "image/name", options=["--add-host", "aws.test:127.0.0.1"], AWS_ENDPOINT_URL_SECRETS_MANAGER=f"http://aws.test:{port}"
        )
        self.assertEqual(ran.status, 0, ran.err)
        self.assertEqual(self.stored("image/name"), VALUE)

    def test_trust_store_follows_ca_bundle(self):
        with Front(self.sandbox.endpoint, self.folder) as front:
            empty = self.folder / "empty"
            empty.touch()
            for name, bundle, message in [
                ("default", None, "is not in the system's list"),
                ("removed", empty, "is not in Mozilla's list, as this system has none of its own"),
                ("replaced", front.authority, None),
            ]:
                with self.subTest(name):
                    ran = self.upsert(
                        "image/tls",
                        options=["--volume", f"{bundle}:{BUNDLE}:ro"] if bundle else [],
                        AWS_ENDPOINT_URL_SECRETS_MANAGER=front.endpoint,
                    )
                    if message:
                        self.assertEqual(ran.status, 7, ran.err)
                        self.assertIn(message, ran.err)
                    else:
                        self.assertEqual(ran.status, 0, ran.err)
                        self.assertEqual(self.stored("image/tls"), VALUE)

    def test_entrypoint_is_not_mistaken_for_shell(self):
        """GitLab starts this if the image's entrypoint is not cleared. Success would mean that the job ran nothing."""
        ran = self.run_container("sh", "-c", "echo hi", options=["--entrypoint", "upsert-secret"], stdin="echo hi\n")
        self.assertEqual((ran.status, ran.out), (2, ""))
        self.assertIn("the script was not run", ran.err)
        self.assertIn('entrypoint: [""]', ran.err)

    def test_stops_on_signal(self):
        """The program is process 1, to which the kernel delivers only signals that it handles."""
        with socket.create_server(("127.0.0.1", 0)) as silent:
            silent.settimeout(PATIENCE)
            env = self.sandbox.environment | {"UPSERT_SECRET_NAME": "image/stop", "UPSERT_SECRET_VALUE": VALUE}
            env["AWS_ENDPOINT_URL_SECRETS_MANAGER"] = f"http://127.0.0.1:{silent.getsockname()[1]}"
            names = [option for name in env for option in ("--env", name)]
            container = podman("run", "--pull", "never", "--detach", "--network", "host", *names, self.image, env=env).stdout.strip()
            self.addCleanup(podman, "rm", "--force", "--time", "0", container)
            with silent.accept()[0]:
                podman("kill", "--signal", "TERM", container)
                self.assertEqual(podman("wait", container).stdout.strip(), "143")

    def test_image_metadata(self):
        [image] = json.loads(podman("inspect", self.image).stdout)
        config = image["Config"]
        self.assertEqual(config["Cmd"], ["upsert-secret"])
        self.assertEqual(config["Env"], ["PATH=/usr/local/bin:/usr/bin:/bin"])
        # No entrypoint, because CI systems start a shell. No user, because mounted files may belong to root.
        for absent in ("Entrypoint", "User", "Volumes", "ExposedPorts", "OnBuild"):
            self.assertFalse(config.get(absent), absent)

        commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
        version = self.run_container("upsert-secret", "--version").out.split()[1]
        for given in (config["Labels"], image["Annotations"]):
            about = {name.removeprefix("org.opencontainers.image."): value for name, value in given.items()}
            self.assertEqual(about["title"], "upsert-secret")
            self.assertEqual(about["version"], version)
            self.assertEqual(about["revision"], commit.stdout.strip())
            self.assertEqual(about["licenses"], "Apache-2.0 AND GPL-2.0-only AND MPL-2.0")
            self.assertTrue(about["description"] and about["source"])

    def test_image_contents(self):
        # With rootless podman, mount points belong to the user nobody.
        image = ["find", "/", "-xdev", "(", "-path", "/proc", "-o", "-path", "/sys", ")", "-prune", "-o"]
        ran = self.run_container(*image, "(", "-perm", "/6000", "-o", "!", "-user", "0", ")", "-print")
        self.assertEqual(ran.out, "", "set-uid, or not owned by root")
        ran = self.run_container("find", "/", "-xdev", "-type", "d", "-perm", "-0002")
        self.assertEqual(ran.out, "/tmp\n", "world-writable")
        ran = self.run_container("stat", "-c", "%a", "/tmp", "/root", "/usr/local/bin/upsert-secret", BUNDLE)
        self.assertEqual(ran.out.split(), ["1777", "700", "755", "644"])
        ran = self.run_container("find", "/usr/share/doc", "/var/lib/dpkg", "-type", "f")
        self.assertEqual(
            sorted(ran.out.split()),
            [
                "/usr/share/doc/busybox-static/copyright",
                "/usr/share/doc/ca-certificates/copyright",
                "/usr/share/doc/upsert-secret/LICENSE",
                "/usr/share/doc/upsert-secret/licences/crates.txt",
                "/usr/share/doc/upsert-secret/licences/musl.txt",
                "/usr/share/doc/upsert-secret/licences/rust-library.html",
                "/var/lib/dpkg/status.d/busybox-static",
                "/var/lib/dpkg/status.d/ca-certificates",
            ],
        )

    def test_image_build_is_reproducible(self):
        again = f"{self.image.rpartition('-')[0]}-again"
        made = subprocess.run(
            [ROOT / "container/build", self.context, again], check=True, capture_output=True, text=True
        ).stdout.split()
        self.addCleanup(podman, "rmi", *made)
        ids = {podman("image", "inspect", "--format", "{{.Id}}", name).stdout for name in (self.image, *made)}
        self.assertEqual(len(ids), 1, ids)

    def test_one_tag_covers_all_architectures(self):
        """Uses a stub for the other architecture, because building an image runs nothing."""
        context = self.folder / "context"
        shutil.copytree(self.context, context, symlinks=True)
        [native] = [folder.name for folder in context.iterdir() if folder.is_dir()]
        other = {"amd64": "arm64", "arm64": "amd64"}[native]
        shutil.copytree(context / native, context / other, symlinks=True)

        made = subprocess.run(
            [ROOT / "container/build", context, "localhost/both"], check=True, capture_output=True, text=True
        ).stdout.split()
        self.addCleanup(podman, "rmi", *made)
        layout = self.folder / "layout"
        subprocess.run([ROOT / "container/push", "localhost/both", f"oci:{layout}:1", native, other], check=True)

        def blob(described: dict) -> dict:
            return json.loads((layout / "blobs" / described["digest"].replace(":", "/")).read_text())

        [index] = json.loads((layout / "index.json").read_text())["manifests"]
        manifests = blob(index)["manifests"]
        self.assertEqual(
            sorted((each["platform"]["os"], each["platform"]["architecture"]) for each in manifests),
            [("linux", "amd64"), ("linux", "arm64")],
        )
        for each in manifests:
            manifest = blob(each)
            self.assertEqual(blob(manifest["config"])["architecture"], each["platform"]["architecture"])
            self.assertEqual(manifest["annotations"]["org.opencontainers.image.title"], "upsert-secret")


