"""Bookings as a team makes them: what waits for approvers, who may confirm it, and which times are free."""

import shlex
from pathlib import Path
from typing import Any

import pytest

NOW = "2026-11-12T07:00:00Z"
WORKSPACE = """version: 1
timezone: Europe/Dublin
sandboxes:
  SIT: {type: PARTIAL, last_refresh: {requested: 2026-11-10 08:00, activated: 2026-11-10 12:00}}
bookings: {approvers: [boss]}
"""
PLAN = """version: 1
release: R1
go_live: 2026-11-20 12:00
rehearsals: [{name: mock, kind: mock, duration: 3h, forecast: undoable}]
"""


@pytest.fixture
def team(desk: Any, tmp_path: Path) -> Any:
    folder = tmp_path / "team"
    folder.mkdir()
    (folder / "rehearse.yaml").write_text(WORKSPACE)
    (folder / "r1.yaml").write_text(PLAN)
    return type(desk)(folder, desk.world)


def test_what_is_planned_or_moved_says_that_it_waits_for_approval(team: Any) -> None:
    ann, boss = ({"REHEARSE_NOW": NOW, "LOGNAME": name} for name in ("ann", "boss"))

    def listed() -> str:
        return str(team.json("book", "list", **ann)["bookings"][0]["state"])

    assert team.json("plan", "r1.yaml", **boss)["bookings"][0]["state"] == "confirmed"
    made = team.json("plan", "r1.yaml", "--book", **ann)
    assert (made["bookings"][0]["state"], made["booked"], made["requested"]) == ("requested", 1, 1)
    assert listed() == "requested"
    assert team.refused("book", "confirm", "r1-mock", code=5, **ann)["hint"] == "Ask one of: boss."
    team.run("book", "confirm", "r1-mock", **boss)
    assert team.json("plan", "r1.yaml", "--replan", **ann)["bookings"][0]["state"] == "confirmed", "it stays there"
    to = "book", "move", "r1-mock", "--from", "2026-11-18 10:00", "--why", "the lead is ill"
    assert team.json(*to, "--dry-run", **ann)["state"] == "requested"
    assert listed() == "confirmed", "nothing was moved yet"
    assert team.json(*to, **ann)["state"] == "requested" == listed()
    team.run("book", "confirm", "r1-mock", **boss)
    team.run("book", "cancel", "r1-mock", "--why", "called off", **ann)
    assert team.refused("book", "confirm", "r1-mock", code=10, **boss)["message"]
    assert "1 time(s); 1 to be confirmed with" in team.run("plan", "r1.yaml", "--book", **ann).err
    history = [(one["what"], one["who"]) for one in team.json("book", "show", "r1-mock", **ann)["history"]]
    asked, agreed, moved = ("requested", "ann"), ("confirmed", "boss"), ("moved", "ann")
    assert history == [asked, agreed, moved, agreed, ("cancelled", "ann"), asked]


LATE = """version: 1
timezone: Europe/Dublin
sandboxes:
  SIT: {type: PARTIAL, last_refresh: {requested: 2026-11-11 06:00}}
refresh: {usable_during_copy: false, copy_time: {PARTIAL: 12h}}
"""


def test_no_time_is_called_free_while_a_late_copy_keeps_everybody_out(team: Any) -> None:
    """The command against a broken booking moved it to where it was."""
    now = {"REHEARSE_NOW": NOW}
    (team.folder / "rehearse.yaml").write_text(LATE)
    made = team.json(
        "book", "add", "SIT", "--from", "2026-11-12 10:00", "--to", "2026-11-12 12:00", "--why", "x", **now
    )
    assert team.json("book", "free", "SIT", "--for", "2h", **now)["slots"][0]["start"] == "2026-11-12T13:00:00Z"
    (cure,) = [one["clear_with"] for one in team.json("status", **now)["radar"] if "cannot stay" in one["what"]]
    assert cure == f'rehearse book move {made["id"]} --from "2026-11-12 13:00"'
    team.run(*shlex.split(cure)[1:], **now)
    assert not [one for one in team.json("book", "list", **now)["bookings"] if one["broken"]]


def test_what_moving_does_not_mend_is_given_back(team: Any) -> None:
    """A burned sandbox stays so at any later time: the command against a booking in it was a move there."""
    now = {"REHEARSE_NOW": NOW}
    (team.folder / "r1.yaml").write_text(PLAN.replace("undoable", "burns, target: 7d"))
    (burning,) = team.json("plan", "r1.yaml", "--book", **now)["bookings"]
    assert burning["end"] < "2026-11-16"
    use = team.json("book", "add", "SIT", "--from", "2026-11-16 10:00", "--to", "2026-11-16 12:00", "--why", "x", **now)
    (cure,) = [one["clear_with"] for one in team.json("status", **now)["radar"] if "is burned" in one["what"]]
    assert cure == f"rehearse book cancel {use['id']}"
