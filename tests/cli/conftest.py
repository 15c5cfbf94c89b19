"""Commands run in this process, in a folder of their own, against one practice org that all tests of a worker share.

Tests here only read the practice org (scenarios that change a sandbox have worlds of their own, under tests/scenario).
"""

import contextlib
import io
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rehearse.cli.app import main
from rehearse.practice import control
from rehearse.practice.connect import write_workspace

PLANS = Path(__file__).parents[2] / "plans"


@dataclass(frozen=True)
class Answer:
    """What one command printed, and how it ended."""

    code: int
    out: str
    err: str


class _Bytes(io.TextIOWrapper):
    """A stdout or stderr that keeps what was written."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", write_through=True)

    def text(self) -> str:
        self.flush()
        return self.buffer.getvalue().decode()  # type: ignore[attr-defined,no-any-return]


@dataclass
class Desk:
    """A folder with a rehearse.yaml, and commands run in it."""

    folder: Path
    world: Path

    def run(self, *words: str, code: int | None = 0, **environment: str) -> Answer:
        """Run `rehearse WORDS`; fails unless it ends with `code` (None: any)."""
        out, err = _Bytes(), _Bytes()
        before, mask = Path.cwd(), os.umask(0o022)
        ended: SystemExit | None = None
        kept = {key: value for key, value in os.environ.items() if not key.startswith("REHEARSE_")}
        with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            for key in set(os.environ) - set(kept):
                patch.delenv(key)
            for key, value in {"NO_COLOR": "1", "HOME": str(self.folder), **environment}.items():
                patch.setenv(key, value)
            os.chdir(self.folder)
            try:
                main(words)
            except SystemExit as error:
                ended = error
            finally:
                os.chdir(before)
                os.umask(mask)
        assert ended is not None
        answer = Answer(int(ended.code or 0), out.text(), err.text())
        assert code is None or answer.code == code, f"{words}: {answer}"
        return answer

    def json(self, *words: str, code: int = 0, **environment: str) -> dict[str, Any]:
        """The one object that `--json` prints."""
        found: dict[str, Any] = json.loads(self.run(*words, "--json", code=code, **environment).out)
        return found

    def refused(self, *words: str, code: int, **environment: str) -> dict[str, Any]:
        """Run a command that must fail with `code`, a sentence and a hint; its error as data."""
        error = self.json(*words, code=code, **environment)
        assert error["schema"] == "rehearse.error/1" and error["exit"] == code and error["hint"], error
        return error


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory, seeded_folder: Path) -> Iterator[Path]:
    """A running practice org whose sandboxes nobody changes."""
    home = Path(shutil.copytree(seeded_folder, tmp_path_factory.mktemp("practice") / ".practice"))
    control.up(home)
    try:
        yield home
    finally:
        control.down(home)


def _desk(folder: Path, world: Path) -> Desk:
    folder.mkdir()
    shutil.copytree(PLANS, folder / "plans")
    write_workspace(world, control.status(world), folder)
    return Desk(folder, world)


@pytest.fixture
def desk(tmp_path: Path, world: Path) -> Desk:
    """A workspace of this test alone, in a folder whose name is not easy."""
    return _desk(tmp_path / "Équipe of 2 📦", world)


@pytest.fixture(scope="session")
def kept_desk(tmp_path_factory: pytest.TempPathFactory, world: Path) -> Desk:
    """A workspace that the tests of a worker share, with a baseline B1 of SIT1 and a booked R41."""
    shared = _desk(tmp_path_factory.mktemp("team") / "kept", world)
    shared.run("baseline", "capture", "SIT1")
    shared.run("plan", "plans/r41.yaml", "--book")
    return shared
