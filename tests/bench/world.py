"""The practice world of the benchmarks: seeded with so many records, served at a fixed rate by a process of its own."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.measure import rehearse, show

SANDBOX = "UATFULL"


@dataclass(frozen=True)
class World:
    """A served practice world: the folder with its rehearse.yaml, and how to reach the sandbox."""

    folder: Path
    url: str
    http_url: str
    ca_file: str
    access_token: str

    def manifest(self, name: str) -> dict[str, Any]:
        """The manifest of a baseline of this world."""
        told = json.loads(rehearse("baseline", "show", name, "--json", folder=self.folder).run().said)
        path = self.folder / ".rehearse" / "captures" / told["capture"] / "manifest.json"
        content: dict[str, Any] = json.loads(path.read_bytes())["content"]
        return content


@contextmanager
def serve(folder: Path, records: int, rate: int, components: int = 0) -> Iterator[World]:
    """A fresh workspace around a world of so many records; the seeded world is kept in `folder` for the next time."""
    size = f"{records}-{components}" if components else str(records)
    seeded = folder / f"seeded-{size}"
    if not (seeded / "estate.db").exists():
        shutil.rmtree(seeded, ignore_errors=True)
        show(f"Making a practice world of {records:,} records …")
        making = folder / f"making-{size}-{os.getpid()}"
        asked = ("--records", str(records), "--components", str(components))
        rehearse("practice", "seed", *asked, "--folder", str(making), folder=folder).run()
        making.rename(seeded)
    place = folder / f"world-{size}"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    shutil.copytree(seeded, place / ".practice")
    rehearse("practice", "up", "--rate", str(rate), "--folder", ".practice", folder=place).run()
    try:
        told = json.loads(rehearse("practice", "connect", "--json", folder=place).run().said)
        org = next(one for one in told["orgs"] if one["name"] == SANDBOX)
        yield World(place, told["url"], told["http_url"], told["ca_file"], org["access_token"])
    finally:
        rehearse("practice", "down", "--folder", ".practice", folder=place).run()
        shutil.rmtree(place, ignore_errors=True)
