"""Labs for the adversary: the laboratory of tests/reset, opened many times over private copies of the seeded world."""

import importlib.util
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent


def load_file(name: str, path: Path) -> Any:
    """A Python file beside the tests as a module, once a process."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


reset_lab = load_file("reset_lab", HERE.parent / "reset" / "conftest.py")
judge_file = load_file("faults_judge", HERE / "judge.py")
chance_file = load_file("faults_chance", HERE / "chance.py")
chance_metadata_file = load_file("faults_chance_metadata", HERE / "chance_metadata.py")


@pytest.fixture(scope="session")
def judge() -> Any:
    """What compares a proof with the practice org's own tables."""
    return judge_file


@pytest.fixture
def chance() -> Any:
    """What holds a random rehearsal over rows."""
    return chance_file


@pytest.fixture
def chance_metadata() -> Any:
    """What deploys random metadata."""
    return chance_metadata_file


@pytest.fixture(scope="session")
def lab_opener() -> Any:
    """Opens a lab over a folder; whoever opens it closes it."""
    return reset_lab.open_lab


@pytest.fixture
def lab_at(seeded_folder: Path, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Opens a lab on a new copy of the seeded world, or over a given folder; closes what is still open at the end.

    At the end everything that production received is held against the list of design section 1.
    """
    opened: list[Any] = []

    def open_at(folder: Path | None = None, hook: Any = None) -> Any:
        if folder is None:
            folder = tmp_path / f"lab{len(opened)}"
            shutil.copytree(seeded_folder, folder / "estate")
        opened.append(reset_lab.open_lab(folder, hook))
        return opened[-1]

    yield open_at
    for one in opened:
        one.close()
    refused = load_file("suite_conftest", HERE.parent / "conftest.py").refused_for_production
    for one in opened:
        from rehearse.practice.request_log import load_requests

        assert refused(load_requests(one.folder / "estate"), refresh=False) == []


@pytest.fixture
def lab(lab_at: Callable[..., Any]) -> Any:
    """One lab on a private copy of the seeded world."""
    return lab_at()
