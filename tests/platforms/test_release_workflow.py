"""Tests of the release workflow, which run its jobs one by one with their own scripts. A job that receives a modified file must stop
before it publishes anything. Programs that compile or use the network are replaced by stubs that record their arguments.
"""

import glob
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import yaml

from release import PLATFORMS, ROOT, VERSION, ReleaseTest, SignedRelease, lay_out, list_sums, name
from workflow import StepFailed, Workflow

WORKFLOW = ROOT / ".github/workflows/release.yml"
JOBS = yaml.safe_load(WORKFLOW.read_text())["jobs"]
DOWNLOADS = [job for job, its in JOBS.items() if any("download-artifact" in step.get("uses", "") for step in its["steps"])]
TAG = f"v{VERSION}-source"

# Stubs of scripts that compile or that need container tools.
STUBS = {
    "release/build": """
        name=upsert-secret
        case $1 in *-windows-*) name=upsert-secret.exe ;; esac
        echo "target/$1/release/$name"
    """,
    "release/test": ":",
    "release/licences": 'mkdir "$1" && echo made-up >"$1/crates.txt"',
    "release/sbom": 'echo "{}" >"$1"',
    "container/context": """
        mkdir -p "$1"
        echo FROM scratch >"$1/Containerfile"
        install -D "${2#*=}" "$1/${2%%=*}/usr/local/bin/upsert-secret"
    """,
    "container/build": ":",
    "container/push": """
        layout=${2#oci:}
        mkdir "${layout%:image}"
        cp -r "$LAYOUT"/. "${layout%:image}"
    """,
}


class ReleaseWorkflow(SignedRelease, ReleaseTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for path, script in STUBS.items():
            (cls.pristine / path).write_text(f"#!/bin/bash\nset -eu\n{script}\n")

    def setUp(self):
        super().setUp()
        folder = self.source.parent / "workflow"
        folder.mkdir()
        self.sign(TAG)
        self.done = folder / "done"
        self.done.write_text("")
        for program in ("sudo", "rustup"):
            self.program(program, ":")
        self.program("skopeo", f"[ $1 = login ] || echo \"skopeo $*\" >>'{self.done}'")
        self.program(
            "gh", f"[ \"$2\" != view ] || {{ echo 'release not found' && exit 1; }}; echo \"gh $1 $2 $3\" >>'{self.done}'"
        )
        lay_out(folder / "image")
        # Redirect pushes to the local directory.
        self.git("config", f"url.{self.remote}.insteadOf", JOBS["publish"]["env"]["REMOTE"], folder=self.source)
        environment = {
            "GITHUB_REF_NAME": TAG,
            "GITHUB_SHA": self.head(),
            "GITHUB_ACTOR": "manager",
            "LAYOUT": str(folder / "image"),
        }
        self.workflow = Workflow(WORKFLOW, self.source, folder, environment, {"DEPLOY_KEY": "made-up-key"})

    def run_before(self, job: str) -> None:
        """Runs all jobs that precede this one in the file."""
        for earlier in list(JOBS)[: list(JOBS).index(job)]:
            self.workflow.run(earlier)

    def seen(self) -> list[str]:
        """Everything that is public so far: refs, calls of external programs, and actions."""
        refs = self.git("for-each-ref", "--format=%(refname) %(objectname)", folder=self.remote).splitlines()
        return [*refs, *self.done.read_text().splitlines(), *(action for action, _ in self.workflow.used)]

    def assert_stops(self, job: str) -> str:
        before = self.seen()
        with self.assertRaises(StepFailed) as stopped:
            self.workflow.run(job)
        self.assertEqual(self.seen(), before)
        return str(stopped.exception)

    def test_untouched_release_is_published(self):
        for job in JOBS:
            self.workflow.run(job)
        seen = self.seen()
        commit = self.git("rev-parse", "refs/heads/dist", folder=self.remote)
        for ref in (f"refs/tags/v{VERSION}", f"refs/tags/v{VERSION.split('.')[0]}"):
            self.assertIn(f"{ref} {commit}", seen)
        for platform in PLATFORMS:
            binary = self.git("show", f"{commit}:bin/{platform}/{name(platform)}", folder=self.remote)
            self.assertEqual(binary, self.built(platform).read_text().strip())

        # The image that was laid out is the one that is pushed, attested and tagged, and that the component refers to.
        made = self.workflow.outputs["layout"]["digest"]
        image = "ghcr.io/upsert-secret/upsert-secret"
        component = self.git("show", f"{commit}:templates/upsert-secret.yml", folder=self.remote)
        self.assertIn(f"{image}:{VERSION}@{made}", component)
        copied = [line.split()[-2:] for line in seen if line.startswith("skopeo")]
        self.assertEqual([source for _, source in copied[:1]], [f"docker://{image}@{made}"])
        self.assertEqual(copied[1:], [[f"docker://{image}@{made}", f"docker://{image}:{VERSION}"]])
        self.assertEqual([given["subject-digest"] for _, given in self.workflow.used if "subject-name" in given], [made])
        self.assertEqual([line for line in seen if line.startswith("gh")][-1], f"gh release edit v{VERSION}")

        # All release files are attested: the binaries, the tree's SHA256SUMS, and the files of the release page.
        attested = [path for _, given in self.workflow.used for pattern in given.get("subject-path", "").split() for path in matching(pattern)]
        names = {path.name for path in attested}
        self.assertTrue({"upsert-secret", "upsert-secret.exe", "SHA256SUMS", f"upsert-secret-{VERSION}-linux-x64.tar.gz"} <= names, names)
        self.assertEqual(len([path for path in attested if path.parent.parent.name == "bin"]), 2 * len(PLATFORMS))

    def test_replaced_artifact_stops_each_job_that_downloads_it(self):
        """The checksum lists in the artifact match the replacement."""
        self.assertGreaterEqual(len(DOWNLOADS), 5)
        for job in JOBS:
            if job in DOWNLOADS:
                artifacts = self.workflow.downloads(job)
                self.assertTrue(artifacts, job)
                for artifact in artifacts:
                    with self.subTest(job=job, artifact=artifact), self.replaced(artifact):
                        self.assert_stops(job)
            self.workflow.run(job)

    def test_missing_output_stops_each_job_that_compares_it(self):
        """GitHub passes an empty string if an output was not set or looks like a secret."""
        compared = {
            "rebuild": {"build": ["binary-linux-x64"]},
            "layout": {"build": ["binary-linux-x64", "binary-linux-arm64", "context-amd64", "context-arm64"]},
            "assemble": {"build": [f"binary-{platform}" for platform in PLATFORMS], "layout": ["digest"]},
            "attest": {"assemble": ["tree", "assets"]},
            "image": {"layout": ["digest"]},
            "publish": {"assemble": ["tree", "assets"], "layout": ["digest"]},
        }
        self.assertEqual(set(DOWNLOADS) - set(compared), set())
        for job in JOBS:
            for source, names in compared.get(job, {}).items():
                outputs = self.workflow.outputs[source]
                for output in names:
                    value = outputs[output]
                    for other in ("", value.translate(str.maketrans("0123456789abcdef", "123456789abcdef0"))):
                        with self.subTest(job=job, output=f"{source}.{output}", instead=other):
                            outputs[output] = other
                            # `assemble` accepts any image digest; later jobs compare it.
                            if (job, source, bool(other)) != ("assemble", "layout", True):
                                self.assert_stops(job)
                            outputs[output] = value
            self.workflow.run(job)

    def test_other_build_stops_the_release(self):
        self.run_before("rebuild")
        self.built("linux-x64").write_text("#!/bin/sh\n# another build\n")
        self.assertIn("instead of", self.assert_stops("rebuild"))

    def test_unsigned_tag_stops_the_release(self):
        self.git("tag", "--force", TAG, folder=self.source)
        self.push_tag(TAG)
        self.assertIn("the tag is not signed: create it", self.assert_stops("version"))

    @contextmanager
    def replaced(self, artifact: str):
        """Replaces an artifact, as an attacker would, while the context is active."""
        path = self.workflow.artifacts / artifact
        with tempfile.TemporaryDirectory() as folder:
            shutil.move(path, folder)
            shutil.copytree(Path(folder) / artifact, path)
            for archive in path.glob("*.tar"):
                unpacked = Path(folder) / "unpacked"
                unpacked.mkdir()
                subprocess.run(["tar", "--extract", "--preserve-permissions", "--file", archive, "--directory", unpacked], check=True)
                change(unpacked)
                subprocess.run(["tar", "--create", "--file", archive, "--directory", unpacked, "."], check=True)
            if not list(path.glob("*.tar")):
                change(path)
            try:
                yield
            finally:
                shutil.rmtree(path)
                shutil.move(Path(folder) / artifact, path)


def change(folder: Path) -> None:
    """Changes one file of a directory and updates its checksum list."""
    if (folder / "index.json").exists():
        shutil.rmtree(folder / "blobs")
        lay_out(folder, b"another image")
        return
    # In a build context, the first file is not the binary, which is also compared separately.
    [path, *_] = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "SHA256SUMS")
    with path.open("ab") as file:
        file.write(b"\n# changed\n")
    if (folder / "SHA256SUMS").exists():
        list_sums(folder)


def matching(pattern: str) -> list[Path]:
    return [Path(path) for path in glob.glob(pattern)]
