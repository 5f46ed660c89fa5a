"""Measures wall time, CPU time and memory of a process for the benchmarks. Knows nothing about the command it runs."""

import math
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Taken:
    """Measurements of a completed run: wall and CPU seconds (of the process and the children it waited for), output, exit code."""

    wall: float
    cpu: float
    output: str
    code: int = 0


def run(command: list, environment: dict[str, str], may_fail: bool = False) -> Taken:
    """Runs a command to completion. A failure ends the benchmark unless `may_fail` is set."""
    start = time.perf_counter()
    with open("output", "w+", encoding="utf-8") as output:
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read()
    if process.returncode and not may_fail:
        sys.exit(f"{command[0]} failed with {process.returncode}:\n{text[-4000:]}")
    return Taken(wall, usage.ru_utime + usage.ru_stime, text, process.returncode)


def peak(command: list, environment: dict[str, str], may_fail: bool = False) -> tuple[int, Taken]:
    """Like `run`, but also returns the peak memory of the largest process, in kilobytes.

    Uses GNU time, because the kernel counts the parent's memory at the start of a process, and Python needs more memory than a small
    program ever uses. GNU time itself is small.
    """
    taken = run(["/usr/bin/time", "--quiet", "--output=peak", "--format=%M", *command], environment, may_fail)
    return int(Path("peak").read_text()), taken


@dataclass(frozen=True)
class Ended:
    """Result of a bounded run: exit code, wall and CPU seconds, peak memory in kilobytes, and output.

    A run that was killed at its limit has no exit code, CPU time or peak memory.
    """

    code: int | None
    wall: float
    cpu: float
    peak: float
    output: str


# Far above the needs of any run. They protect the machine from runaway processes.
MAX_OUTPUT = 4 * 1024 * 1024
MAX_ADDRESS_SPACE = 8 * 1024 * 1024 * 1024


def bounded(command: list, environment: dict[str, str], limit: float) -> Ended:
    """Runs a command for at most `limit` seconds, with limited output and memory. The command may fail."""
    limits = f"ulimit -f {MAX_OUTPUT // 512} && ulimit -v {MAX_ADDRESS_SPACE // 1024}"
    limited = ["sh", "-c", f'{limits} && exec "$@"', "sh", "/usr/bin/time", "--quiet", "--output=peak", "--format=%M", *command]
    Path("peak").unlink(missing_ok=True)
    ended_at_limit = threading.Event()
    with open("output", "w+", encoding="utf-8", errors="replace") as output:
        start = time.perf_counter()
        # Its own session, because killing only GNU time would leave the program running.
        process = subprocess.Popen(
            limited, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )

        def end() -> None:
            ended_at_limit.set()
            os.killpg(process.pid, signal.SIGKILL)

        timer = threading.Timer(limit, end)
        timer.start()
        try:
            # The process is not reaped yet, so the timer cannot kill another process that reuses its ID.
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
            wall = time.perf_counter() - start
        except BaseException:
            # If the benchmark is interrupted, the process must not outlive it.
            end()
            raise
        finally:
            timer.cancel()
            timer.join()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read(MAX_OUTPUT)
    if ended_at_limit.is_set():
        return Ended(None, wall, math.nan, math.nan, text)
    if not Path("peak").exists():
        sys.exit(f"cannot start {command[0]} with sh and GNU time:\n{text[-4000:]}")
    return Ended(process.returncode, wall, usage.ru_utime + usage.ru_stime, int(Path("peak").read_text().split()[-1]), text)
