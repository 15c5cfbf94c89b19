"""What `status` says of work: a lock that outlived its process is no work, and hides no reset that was broken off."""

import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rehearse import lock
from rehearse.cli.sandboxes import _build_work
from rehearse.reset.broken_off import BrokenOff
from rehearse.state import open_database

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)


def test_a_lock_whose_process_is_gone_is_no_running_work(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
        with lock.hold(database, "UAT", "reset 01A", NOW) as mine:
            dead = replace(mine, process=mine.process.replace(str(os.getpid()), str(gone.pid)))
            left = BrokenOff("UAT", "01A", NOW, NOW, resumable=True)
            assert [len(_build_work([one], [left])["running"]) for one in (mine, dead)] == [1, 0]  # type: ignore[arg-type]
            assert [len(_build_work([one], [left])["locks"]) for one in (mine, dead)] == [1, 1]  # type: ignore[arg-type]
    database.close()


def test_where_production_has_the_clock_and_does_not_answer_the_way_to_start_it_is_told(desk: Any) -> None:
    path: Path = desk.folder / "rehearse.yaml"
    path.write_text("\n".join(line for line in path.read_text().splitlines() if not line.startswith("tls:")) + "\n")
    hint = desk.refused("status", code=1)["hint"]
    assert "tls.ca_bundle" in hint and "rehearse practice up" in hint
