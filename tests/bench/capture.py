"""Capture, deep verification and diff of many records, each beside a plain parallel download of the same pages."""

from __future__ import annotations

import itertools
import json
import shutil
import sqlite3
import statistics
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import requests

from tests.bench.measure import Command, Run, measure, ratio, rehearse, show, times
from tests.bench.world import SANDBOX, World, serve

REST_ROWS = 2_000  # what the capture reads over REST is no page of a job
RATE = 50_000_000
CHANGES = 1_000
CHANGED = "Contact"


def run(folder: Path, rounds: int, records: int) -> None:
    """Print the ratios and their parts."""
    with serve(folder, records, RATE) as world:
        rehearse("baseline", "capture", SANDBOX, "--name", "first", folder=world.folder).run()
        question = _write_question(world)
        parts: list[dict[str, Any]] = []
        calls: dict[str, list[int]] = {"capture": [], "increment": []}
        number = itertools.count(1)
        found = measure(
            {
                "download": lambda: _download(world, question, parts),
                "capture": lambda: _capture(world, next(number), calls["capture"], "--full"),
                "increment": lambda: _increment(world, next(number), calls["increment"]),
                "verify": lambda: rehearse("baseline", "verify", "first", "--deep", folder=world.folder).run(),
            },
            rounds,
        )
        rehearse("practice", "play", SANDBOX, folder=world.folder).run()
        differ = rehearse("diff", SANDBOX, "--baseline", "first", "--json", folder=world.folder, fine=(3,))
        found["diff"] = [differ.run() for _ in range(rounds)]
    _show(found, parts, calls, records)


def _show(found: dict[str, list[Run]], parts: list[dict[str, Any]], calls: dict[str, list[int]], records: int) -> None:
    size = f"of {records:,} records"
    ratio(f"capture {size} / plain parallel download", found["capture"], found["download"], "1.3 x")
    times("capture", found["capture"], memory=True)
    times("plain download", found["download"])
    for name in ("jobs", "download"):
        spans = sorted(one[name] for one in parts)
        show(f"    its {name}: {statistics.median(spans):.2f} s ({spans[0]:.2f} to {spans[-1]:.2f})")
    show(f"    {parts[0]['pages']} pages, {parts[0]['bytes'] / 1e6:.1f} MB, at {RATE / 1e6:.0f} MB/s in all")
    ratio(
        f"incremental capture {size} after {CHANGES:,} changes / capture",
        found["increment"],
        found["capture"],
        "0.05 x",
    )
    times("incremental capture", found["increment"], memory=True)
    of, full = (statistics.median(calls[name]) for name in ("increment", "capture"))
    show(f"    {of:.0f} API calls, of a whole capture {full:.0f}")
    ratio(f"verify --deep {size} / plain parallel download", found["verify"], found["download"])
    times("verify --deep", found["verify"], memory=True)
    ratio(f"diff {size} after a rehearsal / capture", found["diff"], found["capture"])
    times("diff", found["diff"], memory=True)


def _capture(world: World, number: int, calls: list[int], *more: str) -> Run:
    before = _count_calls(world)
    done = rehearse("baseline", "capture", SANDBOX, "--name", f"B{number}", *more, folder=world.folder).run()
    calls.append(_count_calls(world) - before)
    return done


def _count_calls(world: World) -> int:
    """The API calls of all commands so far, sandbox and production, as the budget counts them."""
    with closing(sqlite3.connect(world.folder / ".rehearse" / "rehearse.db")) as database:
        return int(database.execute("SELECT coalesce(sum(calls), 0) FROM api_calls").fetchone()[0])


def _increment(world: World, number: int, calls: list[int]) -> Run:
    """A baseline after so many updated rows, on top of the one before."""
    base = f"{world.url}/services/data/v67.0"
    known: dict[str, Any] = {"headers": {"Authorization": f"Bearer {world.access_token}"}, "verify": world.ca_file}
    soql = f"SELECT Id FROM {CHANGED} LIMIT {CHANGES}"
    rows = requests.get(f"{base}/query", params={"q": soql}, timeout=60, **known).json()["records"]
    for start in range(0, len(rows), 200):
        changed = [
            {"attributes": {"type": CHANGED}, "id": row["Id"], "Description": f"change {number} {row['Id']}"}
            for row in rows[start : start + 200]
        ]
        sent = requests.patch(f"{base}/composite/sobjects", json={"records": changed}, timeout=60, **known)
        sent.raise_for_status()
    return _capture(world, number, calls)


def _download(world: World, question: Path, parts: list[dict[str, Any]]) -> Run:
    target = world.folder / "download"
    target.mkdir()
    words = [sys.executable, "-m", "tests.bench.download", str(question), str(target)]
    done = Command(words, world.folder).run()
    parts.append(json.loads(done.said))
    shutil.rmtree(target)
    return done


def _write_question(world: World) -> Path:
    """The queries of the capture's own jobs: the columns of its manifest, for every object that is not small."""
    manifest = world.manifest("first")
    large = {one["object"] for one in manifest["objects"] if one["rows"] > REST_ROWS}
    queries = []
    for one in manifest["scope"]["objects"]:
        if one["name"] in large:
            columns = ["Id", *(field["name"] for field in one["fields"]), "SystemModstamp", "LastModifiedById"]
            queries.append(f"SELECT {', '.join(columns)} FROM {one['name']}")
    path = world.folder / "question.json"
    known = {"url": world.url, "ca_file": world.ca_file, "token": world.access_token, "queries": queries}
    path.write_text(json.dumps(known))
    return path
