"""What a capture is said to take before it starts, held against what it takes."""

import sqlite3
from typing import Any


def test_an_estimate_of_calls_is_near_what_a_capture_takes(desk: Any) -> None:
    def used() -> int:
        database = sqlite3.connect(desk.folder / ".rehearse" / "rehearse.db")
        try:
            return int(database.execute("SELECT COALESCE(SUM(calls), 0) FROM api_calls").fetchone()[0])
        finally:
            database.close()

    told = desk.json("baseline", "capture", "SIT1", "--estimate")
    before = used()
    taken = desk.json("baseline", "capture", "SIT1", "--full")
    assert told["rows"] == taken["records"] and 0.9 < told["calls"] / (used() - before) < 1.15
    again = desk.json("baseline", "capture", "SIT1", "--estimate")
    assert 0.9 < again["calls"] / told["calls"] < 1.15 and again["disk"] > 0
    assert again["calls"] == again["metadata_calls"] + sum(one["calls"] for one in again["objects"])
    hours = {one["name"]: one["hours"] * 3600 * again["rows_per_second"] for one in again["objects"]}
    assert all(abs(hours[one["name"]] - one["rows"]) < 0.1 * one["rows"] + 9 for one in again["objects"])
