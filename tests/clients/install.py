"""Puts the clients into a cache folder, from npm and PyPI by name and pinned version, and says where they are.

The folder is `.clients/` in the checkout unless REHEARSE_CLIENTS names another. A folder that has what the two lists
beside this file ask for is used as it is, so a second run needs no network.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
CHECKOUT = HERE.parent.parent
LISTS = {"node": HERE / "package.json", "python": HERE / "requirements.txt"}


@dataclass(frozen=True)
class Tools:
    """Where the installed clients are."""

    node: Path  # the node program
    modules: Path  # node_modules
    python: Path  # the Python that has the Python clients
    cci: Path

    @property
    def sf(self) -> tuple[str, str]:
        """The command that starts the Salesforce CLI."""
        return str(self.node), str(self.modules / "@salesforce" / "cli" / "bin" / "run.js")


def install() -> Tools:
    """Install what is missing. Raises RuntimeError with the installer's own words."""
    cache = Path(os.environ.get("REHEARSE_CLIENTS", CHECKOUT / ".clients")).resolve()
    node, python = cache / "node", cache / "python"
    if not _is_ready(cache, "node"):
        node.mkdir(parents=True, exist_ok=True)
        shutil.copy(LISTS["node"], node / "package.json")
        _run(["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"], node)
        _mark_ready(cache, "node")
    if not _is_ready(cache, "python"):
        _run([sys.executable, "-m", "venv", str(python)], cache)
        pip = [str(python / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run([*pip, "--requirement", str(LISTS["python"])], cache)
        _mark_ready(cache, "python")
    modules = node / "node_modules"
    return Tools(modules / "node" / "bin" / "node", modules, python / "bin" / "python", python / "bin" / "cci")


def _is_ready(cache: Path, kind: str) -> bool:
    mark = cache / f"{kind}.ready"
    return mark.is_file() and mark.read_bytes() == LISTS[kind].read_bytes()


def _mark_ready(cache: Path, kind: str) -> None:
    shutil.copy(LISTS[kind], cache / f"{kind}.ready")


def _run(command: list[str], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed: {done.stderr or done.stdout}")
