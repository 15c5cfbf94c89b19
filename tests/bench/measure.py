"""Measuring commands against a reference of the same run: interleaved rounds, medians and ranges, never a verdict.

Wall time, processor time (user and system, of the child and its children) and the largest resident size of a child.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024  # getrusage counts bytes on macOS, KiB on Linux


@dataclass(frozen=True)
class Run:
    """One run of a child process: seconds of wall and processor time, bytes at its largest, and what it printed."""

    wall: float
    processor: float
    peak: int
    said: str


@dataclass(frozen=True)
class Command:
    """What to run, where, and which exit codes mean that it did its work."""

    words: Sequence[str]
    folder: Path
    fine: tuple[int, ...] = (0,)

    def run(self) -> Run:
        """Run it once to its end; raises RuntimeError with its words when it ends otherwise."""
        began = time.monotonic()
        with subprocess.Popen(
            self.words, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=_environment()
        ) as child:
            assert child.stdout is not None
            said = child.stdout.read()
            _, status, used = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
        wall = time.monotonic() - began
        if child.returncode not in self.fine:
            raise RuntimeError(f"{' '.join(self.words)} ended with {child.returncode}:\n{said}")
        return Run(wall, used.ru_utime + used.ru_stime, _peak(used), said)


def rehearse(*words: str, folder: Path, fine: tuple[int, ...] = (0,)) -> Command:
    """A command of ours, run by the interpreter that runs the benchmark."""
    return Command([sys.executable, "-m", "rehearse", *words], folder, fine)


def python(code: str, folder: Path) -> Command:
    """A line of Python as a reference."""
    return Command([sys.executable, "-c", code], folder)


def interleave(commands: Mapping[str, Command], rounds: int) -> dict[str, list[Run]]:
    """Run all commands in turn, so many rounds, after one round that only warms caches."""
    for one in commands.values():
        one.run()
    return measure({name: one.run for name, one in commands.items()}, rounds)


def measure(works: Mapping[str, Callable[[], Run]], rounds: int) -> dict[str, list[Run]]:
    """Do all works in turn, so many rounds, every other round in reverse."""
    found: dict[str, list[Run]] = {name: [] for name in works}
    for number in range(rounds):
        for name in list(works)[:: -1 if number % 2 else 1]:
            found[name].append(works[name]())
    return found


def ratio(title: str, of: Sequence[Run], reference: Sequence[Run], target: str = "") -> None:
    """Print how many times as long as its reference a thing took: the ratio of the medians, and the range by rounds."""
    pairs = [one.wall / other.wall for one, other in zip(of, reference, strict=True)]
    middle = statistics.median(one.wall for one in of) / statistics.median(one.wall for one in reference)
    work = statistics.median(one.processor for one in of) / statistics.median(one.processor for one in reference)
    wanted = f"; wanted: {target}" if target else ""
    show(f"{title}: {middle:.2f} x ({min(pairs):.2f} to {max(pairs):.2f}){wanted}; processor time {work:.2f} x")


def times(title: str, runs: Sequence[Run], *, memory: bool = False) -> None:
    """Print the median and range of a thing's wall time, its processor time, and its memory if asked."""
    walls = sorted(one.wall for one in runs)
    line = f"  {title}: {statistics.median(walls):.2f} s ({walls[0]:.2f} to {walls[-1]:.2f})"
    line += f", processor {statistics.median(one.processor for one in runs):.2f} s"
    if memory:
        line += f", at most {max(one.peak for one in runs) / 1e6:.0f} MB resident"
    show(line)


def show(line: str) -> None:
    """Print at once, also into a pipe."""
    print(line, flush=True)


def _peak(used: resource.struct_rusage) -> int:
    return int(used.ru_maxrss) * MAXRSS_UNIT


def _environment() -> dict[str, str]:
    """The checkout that holds this file, whatever is installed, and compiled as what is installed is; no colour."""
    house = str(Path(__file__).parents[2])
    known = os.environ.get("PYTHONPATH", "")
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPATH": f"{house}{os.pathsep}{known}" if known else house, "NO_COLOR": "1"}
