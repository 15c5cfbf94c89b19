"""A user at a shell: a folder with a practice world, and the command `rehearse` run as a process of its own.

Whatever the scenario did, at its end every request that production received is held against design section 1.
"""

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from rehearse.practice import control
from rehearse.practice.connect import write_workspace
from rehearse.practice.request_log import load_requests

PLANS = Path(__file__).parents[2] / "plans"


@dataclass
class Answer:
    """What one command printed, and how it ended."""

    code: int
    out: str
    err: str

    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found


class Starter:
    """Starts commands quickly (see starter.py); one at a time."""

    def __init__(self) -> None:
        path = Path(__file__).with_name("starter.py")
        self._process = subprocess.Popen(
            [sys.executable, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        assert self._read() == "ready"

    def start(self, words: Sequence[str], folder: Path, environment: Mapping[str, str], files: tuple[str, str]) -> int:
        """Start one command; its process id."""
        ask = {"words": words, "folder": str(folder), "environment": dict(environment)}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({**ask, "out": files[0], "err": files[1]}) + "\n")
        return int(self._read())

    def wait(self) -> int:
        """The exit code of the command that was started; negative for a signal."""
        return int(self._read())

    def close(self) -> None:
        """End the process that forks."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


@dataclass
class Shell:
    """A folder, and commands run in it."""

    folder: Path
    starter: Starter
    may_refresh: bool = False
    """Whether production may receive the sandbox lifecycle in this scenario."""

    def run(self, *words: str, code: int | None = 0, **environment: str) -> Answer:
        """Run `rehearse WORDS`; fails unless it ends with `code` (None: any) and without a traceback."""
        with tempfile.TemporaryDirectory() as outside:
            files = (f"{outside}/out", f"{outside}/err")
            self.starter.start(words, self.folder, self._environment(environment), files)
            ended = self.starter.wait()
            answer = Answer(ended, *(Path(one).read_text() for one in files))
        assert "Traceback" not in answer.err, answer.err
        assert code is None or answer.code == code, f"{words}: {answer}"
        return answer

    def json(self, *words: str, code: int = 0, **environment: str) -> dict[str, Any]:
        return self.run(*words, "--json", code=code, **environment).json()

    def kill_after(self, seconds: float, *words: str, by: signal.Signals = signal.SIGKILL) -> bool:
        """Run a command and send it a signal; whether that was what ended it."""
        process = self.starter.start(words, self.folder, self._environment({}), (os.devnull, os.devnull))
        time.sleep(seconds)
        with suppress(ProcessLookupError):
            os.kill(process, by)
        return self.starter.wait() in (-by, 130)

    def kill_when(self, seen: Callable[[], bool], *words: str) -> bool:
        """Run a command and kill it as soon as something is seen; whether that was what ended it."""
        process = self.starter.start(words, self.folder, self._environment({}), (os.devnull, os.devnull))
        end = time.monotonic() + 60
        while not seen() and time.monotonic() < end:
            time.sleep(0.01)
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
        return self.starter.wait() == -signal.SIGKILL

    def refused(self, *words: str, code: int, **environment: str) -> dict[str, Any]:
        """Run a command that must fail with `code`, a sentence and a hint; its error as data."""
        plain = self.run(*words, code=code, **environment)
        assert "\nerror: " in f"\n{plain.err}" and "\nhint: " in plain.err, plain  # notes may come first
        error = self.json(*words, code=code, **environment)
        assert error["schema"] == "rehearse.error/1" and error["exit"] == code and error["hint"], error
        return error

    def edit(self, old: str, new: str) -> None:
        """Change rehearse.yaml as a user would."""
        path = self.folder / "rehearse.yaml"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    @property
    def world(self) -> Path:
        return self.folder / ".practice"

    def _environment(self, more: dict[str, str]) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("REHEARSE_")}
        known = {"NO_COLOR": "1", "HOME": str(self.folder), "REHEARSE_LONGEST_CALL": "5"}
        known["TMPDIR"] = str(self.folder.parent)  # where a killed command leaves its temporary folder
        return {**kept, **known, **more}  # calls to the practice org end in seconds: what was killed is not waited for


def _top_conftest() -> ModuleType:
    path = Path(__file__).parents[1] / "conftest.py"
    spec = importlib.util.spec_from_file_location("top_conftest", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["top_conftest"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def starter() -> Iterator[Starter]:
    """What starts the commands of all scenarios of a worker."""
    made = Starter()
    try:
        yield made
    finally:
        made.close()


def _open_shell(folder: Path, seeded: Path, starter: Starter) -> Iterator[Shell]:
    shell = Shell(folder, starter)
    shutil.copytree(seeded, shell.world)
    shutil.copytree(PLANS, folder / "plans")
    write_workspace(shell.world, control.up(shell.world), folder)
    try:
        yield shell
    finally:
        control.down(shell.world)
    assert _top_conftest().refused_for_production(load_requests(shell.world), refresh=shell.may_refresh) == []


@pytest.fixture
def shell(tmp_path: Path, seeded_folder: Path, starter: Starter) -> Iterator[Shell]:
    """A shell of this test alone."""
    folder = tmp_path / "team"
    folder.mkdir()
    yield from _open_shell(folder, seeded_folder, starter)


@pytest.fixture(scope="module")
def shared_shell(module_folder: Path, seeded_folder: Path, starter: Starter) -> Iterator[Shell]:
    """A shell that the tests of one file share, with a baseline B1 of UATFULL."""
    for shell in _open_shell(module_folder, seeded_folder, starter):
        shell.run("baseline", "capture", "UATFULL")
        yield shell
