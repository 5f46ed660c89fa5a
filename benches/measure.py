"""What a run takes: seconds, CPU, memory. For the benches; it knows nothing of what is run."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Taken:
    """Seconds, and seconds of CPU; of the process and of all that it has waited for. What it printed."""

    wall: float
    cpu: float
    told: str


def run(command: list, environment: dict[str, str]) -> Taken:
    """Runs it to its end, which must be a good one."""
    start = time.perf_counter()
    with open("told", "w+", encoding="utf-8") as told:
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=told, stderr=told)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        told.seek(0)
        text = told.read()
    if process.returncode:
        sys.exit(f"{command[0]} failed with {process.returncode}:\n{text[-4000:]}")
    return Taken(wall, usage.ru_utime + usage.ru_stime, text)


def peak(command: list, environment: dict[str, str]) -> tuple[int, Taken]:
    """The same, and the kilobytes that the largest of its processes had at most.

    By GNU time, which is small itself: the kernel counts for a process what its parent had when it was started, and that
    is more than a small program ever has where Python is the parent.
    """
    taken = run(["/usr/bin/time", "--output=peak", "--format=%M", *command], environment)
    return int(Path("peak").read_text()), taken
