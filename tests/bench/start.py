"""How fast the command line starts: `--help` beside the import of typer, `status` beside that of its two libraries."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.bench.measure import interleave, python, ratio, rehearse, times

WORKSPACE = """\
version: 1
team: Benchmark
timezone: UTC
sandboxes:
  UATFULL: {type: FULL, last_refresh: {requested: 2026-10-01T08:00:00Z, activated: 2026-10-02T10:00:00Z}}
  SIT1: {type: PARTIAL, last_refresh: {requested: 2026-10-20T08:00:00Z, activated: 2026-10-20T18:00:00Z}}
storage: {path: .rehearse, key: {file: .rehearse-key}}
"""


def run(folder: Path, rounds: int) -> None:
    """Print both ratios."""
    place = folder / "start"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    (place / "rehearse.yaml").write_text(WORKSPACE)
    found = interleave(
        {
            "help": rehearse("--help", folder=place),
            "typer": python("import typer", place),
            "status": rehearse("status", folder=place),
            "libraries": python("import sqlalchemy, rich.table", place),
        },
        rounds,
    )
    ratio("rehearse --help / python -c 'import typer'", found["help"], found["typer"], "2.5 x")
    times("rehearse --help", found["help"])
    times("import typer", found["typer"])
    ratio("rehearse status / import sqlalchemy, rich.table", found["status"], found["libraries"], "2 x")
    times("rehearse status", found["status"])
    times("import sqlalchemy, rich.table", found["libraries"])
