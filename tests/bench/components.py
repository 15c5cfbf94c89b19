"""Capture of many components beside the retrieves that it makes, done by a plain SOAP client of its own process.

The reference gets its manifests for nothing: it neither logs in nor lists. It asks for one retrieve after the other, as
a usual client does, ten times a second whether it is done, and its zips stay packed; the practice org works on one
retrieve at a time, however many wait.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from rehearse.baseline.manifests import split_manifest
from tests.bench.measure import Command, Run, measure, ratio, rehearse, times
from tests.bench.world import SANDBOX, World, serve

COMPONENTS = 10_000
RECORDS = 1_000
RATE = 50_000_000


def run(folder: Path, rounds: int) -> None:
    """Print the ratio and its parts."""
    with serve(folder, RECORDS, RATE, COMPONENTS) as world:
        _first(world)
        question = _write_question(world)
        number = iter(range(1, rounds + 1))
        found = measure(
            {
                "retrieve": lambda: _retrieve(world, question),
                "first": lambda: _first(world),
                "capture": lambda: _capture(world, next(number)),
                "verify": lambda: rehearse("baseline", "verify", "first", "--deep", folder=world.folder).run(),
            },
            rounds,
        )
    size = f"of {COMPONENTS:,} components"
    ratio(f"first capture {size} / its retrieves by a plain client", found["first"], found["retrieve"], "1.3 x")
    ratio(f"later capture {size} / its retrieves by a plain client", found["capture"], found["retrieve"], "1.3 x")
    times("first capture", found["first"], memory=True)
    times("later capture", found["capture"], memory=True)
    times("plain retrieves", found["retrieve"])
    times("verify --deep", found["verify"], memory=True)


def _first(world: World) -> Run:
    """A capture into an empty store; the workspace has its database, as after any other command: nobody's first one is
    a capture, and making a database is no part of it."""
    shutil.rmtree(world.folder / ".rehearse", ignore_errors=True)
    rehearse("baseline", "list", folder=world.folder).run()
    return rehearse("baseline", "capture", SANDBOX, "--metadata-only", "--name", "first", folder=world.folder).run()


def _capture(world: World, number: int) -> Run:
    words = ("baseline", "capture", SANDBOX, "--metadata-only", "--full", "--name", f"B{number}")
    return rehearse(*words, folder=world.folder).run()


def _retrieve(world: World, question: Path) -> Run:
    target = world.folder / "retrieved"
    target.mkdir()
    try:
        return Command([sys.executable, "-m", "tests.bench.retrieve", str(question), str(target)], world.folder).run()
    finally:
        shutil.rmtree(target)


def _write_question(world: World) -> Path:
    """The manifests of the capture's own retrieves."""
    manifest = {type: tuple(names) for type, names in world.manifest("first")["manifest"].items()}
    path = world.folder / "question.json"
    known = {"url": world.url, "ca_file": world.ca_file, "token": world.access_token}
    path.write_text(json.dumps({**known, "manifests": list(split_manifest(manifest))}))
    return path
