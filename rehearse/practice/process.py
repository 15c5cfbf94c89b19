"""Is that process still the one that was started? A process id alone may have been given to somebody else.

Refuses to signal a process whose start time differs from the one noted. Promise: nothing but the noted process is
ever ended.
"""

import os
import signal
import subprocess
import time
from pathlib import Path


def process_start(pid: int) -> str | None:
    """When a process started, in the words of this system; None when there is no such process, or only its remains."""
    stat = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            fields = stat.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] in "ZX" else fields[19]
    found = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return found.stdout.strip() or None


def is_running(pid: int, started: str | None) -> bool:
    """Whether the process with this id is the one that started then."""
    return started is not None and process_start(pid) == started


def end_process(pid: int, started: str | None, patience: float = 15.0) -> bool:
    """Ask the noted process to end, insist after `patience` seconds, wait until it is gone; False if it already was."""
    if not is_running(pid, started):
        return False
    for number, seconds in ((signal.SIGTERM, patience), (signal.SIGKILL, patience)):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return True
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if not is_running(pid, started):
                return True
            time.sleep(0.02)
    return not is_running(pid, started)
