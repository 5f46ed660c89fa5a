"""Tests of the action in container jobs, run by act with podman as its daemon.

In a container, the action's directory and the output files have different paths than on the runner, and the shell is the image's.
"""

import re
import socket
import subprocess
import tempfile
from pathlib import Path

from act import HERE, ActTest
from podman import PATIENCE, ContainerTest, fetch, podman

VALUE = "made-up-value '\"$HOME `id` %0A\n::error::second line of it\n"


class JobContainers(ActTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.surroundings = {"DOCKER_HOST": cls.start_service()}

    @classmethod
    def start_service(cls) -> str:
        """Starts podman's Docker-compatible service and returns its address."""
        # Not in the test's directory, because socket paths must be short.
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        path = Path(folder.name) / "socket"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen()
            # The service inherits a listening socket, so there is nothing to wait for.
            command = "LISTEN_PID=$$ LISTEN_FDS=1 exec podman system service --time 0 3<&0 </dev/null"
            # Its messages only report that images lack Node, which act looks for and the action does not need.
            service = subprocess.Popen(["sh", "-c", command], stdin=listener, stderr=subprocess.DEVNULL)
        cls.addClassCleanup(service.wait, PATIENCE)
        cls.addClassCleanup(service.terminate)
        return f"unix://{path}"

    def check(self, image: str, name: str):
        self.where = ["--platform", f"ubuntu-latest={image}", "--pull=false", "--rm", "--container-daemon-socket", "-"]
        # The steps' reports have the same path inside the container.
        self.where += ["--container-options", f"--volume {self.folder}:{self.folder}", "--var", f"NAME={name}"]
        run = self.act(HERE / "workflows/container.yml", FIRST=VALUE)
        self.assertEqual(run.status, 0, run.log)
        self.assertIn(f"docker run image={image} ", run.log)

        outputs = run.outputs("create")
        self.assertEqual((outputs["result"], outputs["secret_name"]), ("created", name))
        self.assertEqual(run.outputs("needs"), {"secret_id": outputs["secret_id"], "result": "created"}, "in a later job")
        self.assertEqual(self.stored(name), VALUE)

        self.assertEqual(run.text("outcome"), "failure")
        [annotation] = re.findall(r"::error title=[^:]*::(.*)", run.log)
        self.assertIn("`value` is empty", annotation)

    def test_without_bash(self):
        self.check(ContainerTest.image, "containers/busybox")

    def test_with_bash_as_only_shell(self):
        fetch(self.folder, "bash-static")
        (self.folder / "Containerfile").write_text(
            f"FROM {ContainerTest.image}\n"
            "COPY bash-static/bin/bash-static /bin/bash\n"
            'RUN ["/bin/busybox", "ln", "-sf", "bash", "/bin/sh"]\n'
        )
        image = "localhost/with-bash"
        podman("build", "--pull-never", "--tag", image, self.folder)
        self.addCleanup(podman, "rmi", "--force", image)
        self.check(image, "containers/bash")
