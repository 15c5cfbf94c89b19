"""What scripts read: names, types, UTC instants, 18-character ids and lists of every `--json` answer (formats.md)."""

import json
import re
from typing import Any

import pytest

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z\Z")
LOOKS_LIKE_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d")
LISTS = {
    "sandboxes", "goals", "bookings", "refreshes", "advances", "unplaced", "warnings", "baselines", "coverage",
    "changes", "fields", "actions", "blocked", "items", "outside_scope", "assumptions", "radar", "locks", "running",
    "reasons", "repairs", "objects",
}  # fmt: skip

KEYS: dict[tuple[str, ...], tuple[str, set[str]]] = {
    ("sandboxes",): ("sandboxes", {"sandboxes"}),
    ("status",): ("status", {"sandboxes", "radar", "locks", "running", "broken_off"}),
    ("plan", "plans/r41.yaml", "--dry-run"): (
        "schedule",
        {"proven", "goals", "bookings", "refreshes", "advances", "unplaced"},
    ),
    ("book", "list"): ("bookings", {"bookings"}),
    ("baseline", "list"): ("baselines", {"baselines"}),
    ("baseline", "show", "B1"): (
        "baseline",
        {"id", "name", "sandbox", "org_id", "taken_at", "records", "components", "bytes", "coverage", "verdict"},
    ),
    ("baseline", "verify", "B1"): ("baseline", {"id", "name", "whole", "deep"}),
    ("baseline", "prune", "--dry-run"): ("prune", {"captures", "swept"}),
    ("baseline", "export", "B1", "--to", "out", "--dry-run"): ("export", {"id", "name", "to", "written"}),
    ("baseline", "repair", "B1", "--dry-run"): ("repair", {"baseline", "sandbox", "damaged", "repaired", "whole"}),
    ("diff", "SIT1"): ("diff", {"sandbox", "summary", "changes", "not_compared"}),
    ("refresh", "check", "PERFFULL"): ("refresh-check", {"sandbox", "refreshable", "possible_from", "certain_from"}),
    ("reset", "plan", "SIT1", "--dry-run"): ("reset-plan", {"id", "baseline", "fingerprint", "actions", "blocked"}),
    ("reset", "prove", "SIT1"): (
        "proof",
        {"verdict", "scope", "items", "counts", "outside_scope", "assumptions", "baseline", "digests"},
    ),
    ("report",): ("report", {"sandboxes", "bookings"}),
}  # fmt: skip


def _walk(value: Any, name: str = "") -> None:
    """Hold every value of an answer against the contract."""
    if isinstance(value, dict):
        for key, one in value.items():
            assert key not in LISTS or isinstance(one, list | dict), f"{key} is {one!r}"
            _walk(one, key)
    elif isinstance(value, list):
        for one in value:
            _walk(one, name)
    elif isinstance(value, str):
        if LOOKS_LIKE_TIME.match(value):
            assert INSTANT.match(value), f"{name}: {value}"
        if name == "org_id":
            assert len(value) == 18, value


@pytest.mark.parametrize("words", KEYS, ids=" ".join)
def test_an_answer_has_its_name_its_keys_and_its_types(kept_desk: Any, words: tuple[str, ...]) -> None:
    name, keys = KEYS[words]
    answer = kept_desk.run(*words, "--json")
    assert answer.out.count("\n") == 1
    body = json.loads(answer.out)
    assert body["schema"] == f"rehearse.{name}/1" and INSTANT.match(body["at"])
    assert keys <= set(body)
    _walk(body)


def test_a_sandbox_line_holds_everything(kept_desk: Any) -> None:
    lines = {one["name"]: one for one in kept_desk.json("sandboxes")["sandboxes"]}
    assert set(lines["SIT1"]) >= {
        "name", "type", "state", "org_id", "generation", "requested", "copied", "activated", "possible_from",
        "certain_from", "refreshable", "days_left", "copy_p50_hours", "copy_p90_hours", "booking", "next_booking",
        "baseline", "proof",
    }  # fmt: skip
    assert {one["refreshable"] for one in lines.values()} <= {"yes", "maybe", "no"}
    assert lines["SIT1"]["baseline"]["taken_at"].endswith("Z")
    booked = [one for one in lines.values() if one["next_booking"]]
    assert booked and set(booked[0]["next_booking"]) == {"id", "start", "end"}


def test_a_booking_that_is_made_and_given_back(kept_desk: Any) -> None:
    words = ("book", "add", "DEV1", "--from", "2026-12-01 09:00", "--to", "2026-12-01 17:00", "--why", "training")
    tried = kept_desk.json(*words, "--dry-run")
    assert tried["schema"] == "rehearse.booking/1"
    made = kept_desk.json(*words)
    assert made["start"] == "2026-12-01T09:00:00Z" and made["kind"] is None and made["why"] == "training"
    assert kept_desk.json("book", "cancel", made["id"], "--dry-run")["cancelled"] is False
    assert [one["id"] for one in kept_desk.json("book", "list", "DEV1")["bookings"]] == [made["id"]]
    assert kept_desk.json("book", "cancel", made["id"])["cancelled"] is True
    assert kept_desk.json("book", "list", "DEV1")["bookings"] == []


def test_a_proof_read_back_is_the_proof_that_was_written(kept_desk: Any) -> None:
    proof = kept_desk.json("reset", "prove", "SIT1")
    assert proof["verdict"] == "clean" and proof["items"] == []
    again = kept_desk.json("baseline", "verify", "--proof", proof["file"])
    assert {**again, "file": proof["file"]} == proof


def test_a_plan_without_a_change_asks_for_no_way_out_and_ends_with_the_proof(kept_desk: Any) -> None:
    made = kept_desk.run("reset", "plan", "SIT1")
    assert "reset prove SIT1" in made.err and "--allow-egress" not in made.err
    (plan,) = (line.removeprefix("Saved ").rstrip(".") for line in made.err.splitlines() if line.startswith("Saved "))
    proof = kept_desk.run("reset", "apply", plan)
    assert "SIT1 is CLEAN" in proof.out and "let out" not in proof.out and "--format html" in proof.err


def test_each_listed_baseline_has_its_coverage(kept_desk: Any) -> None:
    baselines = kept_desk.json("baseline", "list")["baselines"]
    listed = next(one for one in baselines if one["name"] == "B1")  # others of this worker may have captured more
    shown = kept_desk.json("baseline", "show", "B1")
    assert listed["coverage"] == shown["coverage"] != []


def test_an_empty_workspace_answers_with_empty_lists(desk: Any) -> None:
    assert desk.json("baseline", "list")["baselines"] == []
    assert desk.json("book", "list")["bookings"] == []
    body = desk.json("status")
    assert body["locks"] == [] and body["running"] == []
    assert all(one["baseline"] is None and one["booking"] is None for one in body["sandboxes"])


@pytest.mark.parametrize("words", [("sandboxes", "--fast"), ("teleport",), ("diff",), ("book", "add", "SIT1")])
def test_a_mistyped_command_is_an_error_as_data_too(desk: Any, words: tuple[str, ...]) -> None:
    error = desk.refused(*words, code=2)
    assert error["code"] == "usage" and "--help" in error["hint"]
    plain = desk.run(*words, code=2)
    assert plain.out == "" and plain.err.startswith("error: ")


def test_an_error_of_a_practice_world_has_the_time_of_that_world(desk: Any) -> None:
    """With `clock: org`, where the command had asked production what time it is."""
    error = desk.refused("book", "move", "nothing", "--from", "2026-12-01 09:00", code=10)
    late = desk.refused(
        "book", "add", "DEV1", "--from", "2025-12-01 09:00", "--to", "2025-12-01 10:00", "--why", "x", code=2
    )
    assert late["at"][:10] == desk.json("book", "list")["at"][:10] != "" and error["at"]
    assert late["at"].startswith("2026-11-23")
