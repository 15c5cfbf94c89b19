"""The practice world that the clients meet: made in a folder that is thrown away, reached as a user reaches it.

Everything a check knows about an org comes from `rehearse practice connect --json`, so a wrong line there is a failed
check. Promise: the server has ended and the folder is gone when the list is over.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import requests

from tests.clients.install import Tools


@dataclass(frozen=True)
class World:
    """A running practice world, the installed clients, and a folder for what they write."""

    folder: Path
    tools: Tools

    def rehearse(self, *arguments: str) -> str:
        """The output of a `rehearse` command in the folder of the world."""
        command = [str(Path(sys.executable).with_name("rehearse")), *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(arguments)}: {done.stderr or done.stdout}")
        return done.stdout

    def access(self, org: str) -> dict[str, Any]:
        """What `practice connect` says for an org; asked once, so that every client uses the same token."""
        return _access(self, org)

    def client(self, name: str, org: str) -> dict[str, Any]:
        """Settings and environment of a client for an org."""
        found: dict[str, Any] = next(one for one in self.access(org)["clients"] if one["client"] == name)
        return found

    def org(self, name: str) -> dict[str, Any]:
        """One org: org_id, username, access_token and so on."""
        found: dict[str, Any] = next(one for one in self.access(name)["orgs"] if one["name"] == name)
        return found

    def home(self, client: str) -> Path:
        """The empty HOME of a client; it is filled by the client alone."""
        path = self.folder / "homes" / client
        path.mkdir(parents=True, exist_ok=True)
        return path

    def count(self, org: str, soql: str) -> int:
        """How many rows a query finds, asked without any of the clients."""
        access = self.access(org)
        answer = requests.get(
            f"{access['http_url']}/services/data/v67.0/query",
            params={"q": soql},
            headers={"Authorization": f"Bearer {self.org(org)['access_token']}"},
            timeout=30,
        )
        answer.raise_for_status()
        return int(answer.json()["totalSize"])


@cache
def _access(world: World, org: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(world.rehearse("practice", "connect", "--org", org, "--json"))
    return found


@contextmanager
def open_world(tools: Tools) -> Iterator[World]:
    """A practice world that runs while the block does."""
    folder = Path(tempfile.mkdtemp(prefix="rehearse-clients-"))
    world = World(folder, tools)
    try:
        world.rehearse("practice", "up")
        yield world
    finally:
        if (folder / ".practice" / "estate.db").exists():
            world.rehearse("practice", "down")
        shutil.rmtree(folder, ignore_errors=True)
