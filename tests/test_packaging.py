"""What an installed copy holds: the package, and the example releases that a checkout keeps in its top folder.

Building a wheel and running the demo from it takes half a minute: that is done with REHEARSE_TEST=all.
"""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from rehearse.cli import examples
from rehearse.errors import RehearseError

HOUSE = Path(__file__).parents[1]
WHEEL = tomllib.loads((HOUSE / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]


def _lay_out(place: Path) -> None:
    """What the build configuration would put into site-packages."""
    for folder in WHEEL["only-include"]:
        shutil.copytree(HOUSE / folder, place / WHEEL["sources"].get(folder, folder))


def _install(place: Path) -> None:
    """Build the wheel, and unpack it as pip does."""
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", str(place), str(HOUSE)], check=True)
    (wheel,) = place.glob("*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--target", str(place), str(wheel)], check=True)


@pytest.mark.parametrize("put", [_lay_out, *([_install] if os.environ.get("REHEARSE_TEST") == "all" else [])])
def test_an_installed_copy_runs_and_brings_the_example_releases_along(put: object, tmp_path: Path) -> None:
    place, home = tmp_path / "site", tmp_path / "home"
    place.mkdir()
    home.mkdir()
    put(place)  # type: ignore[operator]
    words = ["demo"] if put is _install else ["init", "--plans"]
    command = [sys.executable, "-m", "rehearse", *words]
    env = {**os.environ, "PYTHONPATH": str(place), "PYTHONDONTWRITEBYTECODE": "1"}
    if put is _install:
        command += ["--folder", str(home / "demo")]
    done = subprocess.run(command, cwd=home, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    there = (home / "demo" if put is _install else home) / "plans"
    assert sorted(one.relative_to(there) for one in there.rglob("*")) == sorted(
        one.relative_to(HOUSE / "plans") for one in (HOUSE / "plans").rglob("*")
    )


def test_a_folder_of_plans_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "plans").mkdir()
    (tmp_path / "plans" / "ours.yaml").write_text("ours")
    assert examples.copy_plans(tmp_path) is None
    assert [one.name for one in tmp_path.rglob("*")] == ["plans", "ours.yaml"]


def test_a_copy_without_its_plans_says_so_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examples, "__file__", str(tmp_path / "site" / "rehearse" / "cli" / "examples.py"))
    with pytest.raises(RehearseError, match="came without its example releases"):
        examples.copy_plans(tmp_path)
    assert not list(tmp_path.iterdir())
