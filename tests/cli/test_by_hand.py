"""Dates that only people keep: rehearse.yaml, a sheet and the ledger together, without any Salesforce."""

import contextlib
import json
import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from rehearse.baseline.manifest import MANIFEST
from rehearse.baseline.model import Baseline
from rehearse.cli.desk import open_desk
from rehearse.cli.forecasting import _newest
from rehearse.errors import StoppedPartWay

NOW = {"REHEARSE_NOW": "2026-11-23T08:00:00Z"}
WORKSPACE = """version: 1
timezone: America/New_York
sandboxes:
  UAT:
    type: FULL
    last_refresh: {requested: 2026-11-05 08:00, activated: 2026-11-07 11:00}
  SIT: {type: PARTIAL, last_refresh: {requested: 2026-11-10 08:00, activated: 2026-11-10 20:00}}
storage: {path: .rehearse, key: {file: .key}}
"""


@pytest.fixture
def by_hand(desk: Any, tmp_path: Path) -> Any:
    folder = tmp_path / "by hand"
    folder.mkdir()
    (folder / "rehearse.yaml").write_text(WORKSPACE)
    return type(desk)(folder, desk.world)


def _rows(desk: Any) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in desk.json("sandboxes", **NOW)["sandboxes"]}


def test_a_sheet_that_knows_less_does_not_make_rehearse_yaml_forgotten(by_hand: Any) -> None:
    sheet = "sandbox,type,last refresh,next refresh?\nUAT,Full,2026-11-05 08:00,soon\nSIT,Partial,2026-11-17 09:00\n"
    sheet += "OTHER,Dev,2026-11-22\n"
    (by_hand.folder / "sheet.csv").write_text(sheet)
    read = by_hand.json("ledger", "import", "sheet.csv", **NOW)
    assert read["unread"] == ["next refresh?"], "what was not read is named"
    rows = _rows(by_hand)
    assert rows["UAT"]["certain_from"] == "2026-12-06T16:00:00Z", "what ends later is the fuller of the two"
    assert rows["SIT"]["requested"] == "2026-11-17T14:00:00Z", "the newer one is in force"
    assert len(by_hand.json("ledger", "show", "SIT", **NOW)["cycles"]) == 2
    add = ("ledger", "add", "UAT", "--requested", "2026-11-20 08:00")
    by_hand.run(*add, **NOW)
    assert _rows(by_hand)["UAT"]["state"] == "copying"
    # what only the sheet names is shown by the ledger; the other verbs know rehearse.yaml's sandboxes only
    radar = {one["sandbox"]: one["clear_with"] for one in by_hand.json("status", **NOW)["radar"]}
    assert radar["OTHER"] == "rehearse ledger show OTHER"
    by_hand.run(*radar["OTHER"].split()[1:], **NOW)


def test_a_refresh_that_a_sheet_tells_less_of_keeps_its_request_and_its_type(by_hand: Any) -> None:
    text = WORKSPACE.replace(
        "SIT: {type: PARTIAL, last_refresh: {requested: 2026-11-10 08:00, activated: 2026-11-10 20:00}}",
        "SIT: {type: FULL_PLUS}",
    )
    (by_hand.folder / "rehearse.yaml").write_text(text + "refresh: {interval: {FULL_PLUS: 20d}}\n")
    (by_hand.folder / "sheet.csv").write_text("sandbox,last refresh\nUAT,2026-11-07\nSIT,2026-11-17 09:00\n")
    by_hand.run("ledger", "import", "sheet.csv", **NOW)
    rows = _rows(by_hand)
    assert rows["UAT"]["possible_from"] == "2026-12-04T13:00:00Z", (
        "29 days after what rehearse.yaml says was the request"
    )
    assert rows["UAT"]["certain_from"] == "2026-12-07T05:00:00Z", "the day of the sheet may have been the whole day"
    assert (rows["SIT"]["type"], rows["SIT"]["possible_from"]) == ("FULL_PLUS", "2026-12-07T14:00:00Z")


def test_a_refusal_is_kept_where_only_rehearse_yaml_tells_of_the_refresh(by_hand: Any) -> None:
    by_hand.run("ledger", "add", "SIT", "--refused", "2026-11-16 07:00", "--text", "not yet", **NOW)
    assert _rows(by_hand)["SIT"]["refreshable"] == "maybe"
    page = by_hand.run("ledger", "show", "SIT", **NOW).out
    assert "refused on Mon 2026-11-16 07:00: not yet" in " ".join(page.split()), "in the zone of the calendar"


def test_the_verbs_of_a_refresh_know_what_only_people_told(by_hand: Any) -> None:
    watched = by_hand.json("refresh", "watch", "UAT", **NOW)
    assert "None" not in watched["words"] and watched["state"] == "done"
    assert "none waits" in by_hand.refused("refresh", "activate", "UAT", code=5, **NOW)["message"]
    by_hand.run("ledger", "add", "SIT", "--requested", "2026-11-20 08:00", **NOW)
    for verb in ("activate", "discard"):  # it may have been made since: nobody here can look
        letter = " ".join(by_hand.json("refresh", verb, "SIT", code=3, **NOW)["ask"])
        assert "SIT" in letter and "process" not in letter


def test_a_booking_is_for_what_is_to_come_and_says_what_stands_against_it(by_hand: Any) -> None:
    path = by_hand.folder / "rehearse.yaml"
    path.write_text(path.read_text() + "calendar: {blackouts: [{name: Freeze, from: 2026-12-01, to: 2026-12-01}]}\n")
    add = ("book", "add", "UAT", "--why", "training")
    over = by_hand.refused(*add, "--from", "2025-12-01 09:00", "--to", "2025-12-01 17:00", code=2, **NOW)
    assert "which is over" in over["message"]
    made = by_hand.run(*add, "--from", "2026-12-01 09:00", "--to", "2026-12-01 17:00", **NOW)
    assert "note: It runs into the blackout Freeze" in made.err
    (radar,) = [one for one in by_hand.json("status", **NOW)["radar"] if one["kind"] == "broken"]
    words = shlex.split(radar["clear_with"])[1:]
    assert "note:" not in by_hand.run(*words, **NOW).err
    assert not [one for one in by_hand.json("status", **NOW)["radar"] if one["kind"] == "broken"]
    booking = by_hand.json("book", "list", **NOW)["bookings"][0]["id"]
    assert "is over" in by_hand.refused("book", "move", booking, "--from", "2026-01-02 09:00", code=2, **NOW)["message"]


def test_what_a_rehearsal_burned_is_not_forgotten_by_tidying_up(by_hand: Any) -> None:
    release = "version: 1\nrelease: R1\ngo_live: 2026-12-10 18:00\nrehearsals:\n"
    one = "  - {name: m, kind: mock, duration: 2h, forecast: burns, pin: {sandbox: UAT, at: 2026-11-24 09:00}}\n"
    (by_hand.folder / "r1.yaml").write_text(release + one)
    booked = by_hand.json("plan", "r1.yaml", "--book", **NOW)
    assert booked["booked"] == 1 and booked["cancelled"] == []
    later = {"REHEARSE_NOW": "2026-11-25T08:00:00Z"}
    assert by_hand.json("status", **later)["sandboxes"][0]["condition"] == "burned"
    assert (
        "cannot be moved"
        in by_hand.refused("book", "move", "r1-m", "--from", "2026-12-01 09:00", code=5, **later)["message"]
    )
    assert "burned UAT" in by_hand.refused("book", "cancel", "r1-m", code=5, **later)["message"]
    copied = ("--requested", "2026-12-05 08:00", "--copied", "2026-12-06 08:00")
    by_hand.run("ledger", "add", "UAT", *copied, REHEARSE_NOW="2026-12-07T08:00:00Z")
    (row, _) = by_hand.json("status", REHEARSE_NOW="2026-12-07T08:00:00Z")["sandboxes"]
    assert (row["state"], row["burned_by"]) == ("pending-activation", "r1-m"), "a copy that waits mends nothing yet"
    by_hand.run("ledger", "forget", "UAT", *copied[:2], REHEARSE_NOW="2026-12-07T08:00:00Z")
    by_hand.run("book", "cancel", "r1-m", "--why", "nobody came", **later)
    assert by_hand.json("status", **later)["sandboxes"][0]["condition"] == "free"


def test_a_sheet_is_taken_before_any_login_works(by_hand: Any) -> None:
    path = by_hand.folder / "rehearse.yaml"
    path.write_text(
        path.read_text().replace("sandboxes:", "production: {name: P, login: {sf: nobody-yet}}\nsandboxes:", 1)
    )
    (by_hand.folder / "sheet.csv").write_text("sandbox,last refresh\nUAT,2026-11-20\nTYPO,2026-11-20\n")
    assert by_hand.json("ledger", "import", "sheet.csv", "--offline", **NOW)["known"] == []
    added = by_hand.run("ledger", "add", "UTA", "--requested", "2026-11-20 08:00", **NOW)
    assert "UTA is not in rehearse.yaml" in added.err


def test_plan_why_asks_for_reasons_once_and_tells_what_keeps_one_out(by_hand: Any) -> None:
    release = """version: 1
release: R1
go_live: 2026-12-04 18:00
rehearsals:
  - {name: mock, kind: mock, duration: 6h, needs: {type: PARTIAL}}
  - {name: dress, kind: dress, duration: 6h, needs: {type: FULL, data_age: 1d}}
  - {name: dry, kind: dry-run, duration: 6h, needs: {type: FULL, start: fresh, data_age: 1d}}
"""
    (by_hand.folder / "r1.yaml").write_text(release)
    asked = by_hand.run("plan", "why", "R1 dress", "r1.yaml", "--json", code=3, **NOW)
    found = json.loads(asked.out)
    assert found["by"] == "unplaced" and found["repairs"]
    assert {one["rule"] for one in found["reasons"]} == {"data_age", "type"}
    assert asked.err.count("Looking for what keeps") == 1, "not those of the others"
    placed = by_hand.run("plan", "why", "mock", "r1.yaml", "--json", **NOW)
    assert "Looking for what keeps" not in placed.err and set(json.loads(placed.out)) == set(found)


def test_an_idle_sandbox_without_a_login_is_cleared_by_the_command_of_its_line(by_hand: Any) -> None:
    text = WORKSPACE.replace(
        "  SIT:", "  OLD: {type: DEVELOPER, last_refresh: {requested: 2026-06-01, activated: 2026-06-01}}\n  SIT:"
    )
    (by_hand.folder / "rehearse.yaml").write_text(text.replace("2026-06-01", "2026-06-01 08:00"))
    (idle,) = (one for one in by_hand.json("status", **NOW)["radar"] if one["kind"] == "idle")
    assert (idle["sandbox"], idle["due"]) == ("OLD", "2026-11-28T12:00:00Z")
    by_hand.run(*shlex.split(idle["clear_with"])[1:], **NOW)
    assert not any(one["kind"] == "idle" for one in by_hand.json("status", **NOW)["radar"])
    early = by_hand.json("ledger", "add", "old", "--used", "2026-06-20", "--by", "Ana", **NOW)
    assert early["said"] == "OLD: used Sat 2026-06-20 00:00, by Ana"
    assert not any(one["kind"] == "idle" for one in by_hand.json("status", **NOW)["radar"]), "the newest counts"
    by_hand.refused("ledger", "add", "OLD", "--used", "2026-11-24", code=2, **NOW)
    by_hand.refused("ledger", "add", "OLD", "--used", "today", "--requested", "2026-11-20", code=2, **NOW)


def test_a_calendar_is_told_of_what_was_moved_and_cancelled_under_the_same_name(by_hand: Any) -> None:
    from icalendar import Calendar

    def events() -> dict[str, tuple[int, str, str]]:
        feed = Calendar.from_ical(by_hand.run("report", "--format", "ics", **NOW).out)
        assert feed["METHOD"] == "PUBLISH"
        rows = [
            (str(one["UID"]), (one["SEQUENCE"], str(one.get("STATUS")), str(one["TRANSP"])))
            for one in feed.walk("VEVENT")
        ]
        assert len(dict(rows)) == len(rows), "each thing once"
        return dict(rows)

    words = ("book", "add", "SIT", "--from", "2026-12-01 09:00", "--to", "2026-12-01 17:00", "--why", "x")
    key = by_hand.json(*words, **NOW)["id"]
    first = events()
    assert first[f"{key}@rehearse"] == (0, "CONFIRMED", "OPAQUE") and events() == first
    assert first["UAT-certain-202611051300@rehearse"] == (0, "None", "TRANSPARENT"), "a date keeps nobody busy"
    by_hand.run("book", "move", key, "--from", "2026-12-02 09:00", **NOW)
    assert events()[f"{key}@rehearse"] == (1, "CONFIRMED", "OPAQUE")
    by_hand.run("book", "cancel", key, "--why", "y", **NOW)
    assert events()[f"{key}@rehearse"] == (2, "CANCELLED", "TRANSPARENT"), "one who imported the file keeps it else"


def test_a_member_who_has_not_set_the_teams_database_is_told(by_hand: Any) -> None:
    said = "note: TEAM_DB is not set: what is kept now stays in "
    assert said not in by_hand.run("status", **NOW).err
    text = WORKSPACE.replace("{path: .rehearse,", "{path: .rehearse, database: {env: TEAM_DB},")
    (by_hand.folder / "rehearse.yaml").write_text(text)
    assert said in by_hand.run("status", **NOW).err
    assert said not in by_hand.run("status", TEAM_DB=f"sqlite:///{by_hand.folder}/team.db", **NOW).err


def test_a_bare_date_means_the_whole_day(by_hand: Any) -> None:
    """What counts from the end of a day must not come too early, and a booking to a day includes it."""
    text = WORKSPACE.replace(
        "{requested: 2026-11-05 08:00, activated: 2026-11-07 11:00}", "{requested: 2026-11-05, activated: 2026-11-07}"
    )
    (by_hand.folder / "rehearse.yaml").write_text(text)
    row = _rows(by_hand)["UAT"]
    assert (row["possible_from"], row["certain_from"]) == ("2026-12-04T05:00:00Z", "2026-12-07T05:00:00Z")
    for activated, certain in (("2026-11-22", "2026-11-28T05:00:00Z"), ("2026-11-23", "2026-11-28T08:00:00Z")):
        dates = ("--requested", "2026-11-21", "--activated", activated)
        by_hand.run("ledger", "add", "SIT", *dates, **NOW)
        assert _rows(by_hand)["SIT"]["certain_from"] == certain, "today is not over yet"
    (by_hand.folder / "rehearse.yaml").write_text(text.replace("activated: 2026-11-07", "activated: 2026-11-23"))
    assert _rows(by_hand)["UAT"]["activated"] == NOW["REHEARSE_NOW"]
    by_hand.refused("ledger", "add", "SIT", "--requested", "2026-11-24", code=2, **NOW)
    made = by_hand.json("book", "add", "UAT", "--from", "2026-12-01", "--to", "2026-12-02", "--why", "x", **NOW)
    assert (made["start"], made["end"]) == ("2026-12-01T05:00:00Z", "2026-12-03T05:00:00Z")


def test_the_last_proof_tells_what_a_sandbox_is_like_whichever_baseline_it_names(by_hand: Any) -> None:
    taken = datetime(2026, 11, 20, 8, tzinfo=UTC)
    known = [
        Baseline(
            name, "UAT", "00D000000000001AAA", f"01K{name}", "abc", taken + timedelta(hours=hours), 3, 2, 5, verdict,
            "here", "/store", "f" * 64,
        )
        for name, hours, verdict in (("B1", 0, "usable"), ("B2", 1, "usable"), ("B3", 2, "hollow"))
    ]  # fmt: skip
    with contextlib.chdir(by_hand.folder), open_desk() as desk:
        for one in known:
            desk.baselines().add(one)
        desk.baselines().set_proof(known[0], "P1", "dirty", taken + timedelta(minutes=30))
    uat = _rows(by_hand)["UAT"]  # a proof from before B2 was taken says nothing of what is there since
    assert (uat["condition"], uat["baseline"]["name"], uat["proof"]) == ("free", "B2", None)
    with contextlib.chdir(by_hand.folder), open_desk() as desk:
        desk.baselines().set_proof(known[0], "P2", "dirty", taken + timedelta(hours=3))
    uat = _rows(by_hand)["UAT"]
    assert (uat["condition"], uat["baseline"]["name"], uat["proof"]["baseline"]) == ("dirty", "B2", "B1")
    assert "dirty (B1)" in by_hand.run("sandboxes", **NOW, COLUMNS="180").out


def test_an_error_and_its_hint_tell_times_in_the_calendars_zone(by_hand: Any) -> None:
    told = StoppedPartWay("Sent at 2026-11-23T08:00:00Z.", "Run it again at 2026-11-23T08:10:00.123Z.")
    with contextlib.chdir(by_hand.folder), pytest.raises(StoppedPartWay), open_desk():
        raise told
    assert (told.message, told.hint) == ("Sent at Mon 2026-11-23 03:00.", "Run it again at Mon 2026-11-23 03:10.")


RELEASE = """version: 1
release: R1
go_live: 2026-12-11 18:00
rehearsals:
  - {name: m, kind: mock, duration: 8h, forecast: undoable, needs: {type: FULL}}
"""


def test_what_was_booked_in_a_sandbox_that_the_file_names_no_more_is_not_booked_anew(by_hand: Any) -> None:
    """Its booking moved without being asked, and nothing said that it stood there."""
    (by_hand.folder / "r1.yaml").write_text(RELEASE)
    by_hand.run("plan", "r1.yaml", "--book", **NOW)
    file = by_hand.folder / "rehearse.yaml"
    file.write_text(file.read_text().replace("  UAT:", "  NEW:"))
    assert "NEW" in file.read_text() and "UAT" in by_hand.refused("plan", "r1.yaml", "--book", code=5, **NOW)["message"]
    (booked,) = by_hand.json("book", "list", **NOW)["bookings"]
    assert booked["sandbox"] == "UAT" and "does not name UAT" in booked["broken"]
    (by_hand.folder / "r1.yaml").write_text(RELEASE.replace("name: m,", "name: first,"))
    said = by_hand.json("plan", "r1.yaml", "--dry-run", **NOW)["warnings"]
    assert any("rehearse book cancel r1-m" in one for one in said), "its file has no rehearsal of that name any more"


def test_a_release_that_was_called_off_counts_no_more(by_hand: Any) -> None:
    """Its go-live was kept for ever: each later rehearsal needed an advance of a release that never came."""
    (by_hand.folder / "r1.yaml").write_text(RELEASE)
    (by_hand.folder / "r2.yaml").write_text(RELEASE.replace("R1", "R2").replace("12-11", "12-18"))
    by_hand.run("plan", "r1.yaml", "--book", **NOW)
    pinned = (by_hand.folder / "r2.yaml").read_text().replace("FULL}", "FULL}, not_before: 2026-12-14 08:00")
    (by_hand.folder / "r2.yaml").write_text(pinned)
    assert by_hand.json("plan", "r2.yaml", "--dry-run", **NOW)["advances"]
    assert by_hand.json("book", "drop", "r1", "--dry-run", **NOW)["dropped"] is False
    late = {"REHEARSE_NOW": "2026-12-12T08:00:00Z"}
    assert "went live" in by_hand.refused("book", "drop", "R1", code=5, **late)["message"]
    body = by_hand.json("book", "drop", "r1", "--why", "called off", **NOW)
    assert [one["id"] for one in body["given_back"]] == ["r1-m"] and body["go_live"] == "2026-12-11T23:00:00Z"
    assert by_hand.json("plan", "r2.yaml", "--dry-run", **NOW)["advances"] == []
    assert "R1" in by_hand.refused("book", "drop", "R1", code=10, **NOW)["message"]


def test_a_rehearsal_that_takes_longer_keeps_its_sandbox_longer(by_hand: Any) -> None:
    """Nothing could say so: a move keeps the length, and a booking after it overlaps its own reset."""
    (by_hand.folder / "r1.yaml").write_text(RELEASE)
    (made,) = by_hand.json("plan", "r1.yaml", "--book", **NOW)["bookings"]
    slot = ("--from", "2026-11-27 20:00", "--to", "2026-11-27 21:00", "--why", "x")
    use = by_hand.json("book", "add", "UAT", *slot, **NOW)
    assert (made["end"], use["start"]) == ("2026-11-27T22:00:00Z", "2026-11-28T01:00:00Z")
    late = {"REHEARSE_NOW": "2026-11-27T22:20:00Z"}  # its time is over, and it still runs
    by_hand.refused("book", "move", "r1-m", "--from", "2026-11-27 19:00", code=5, **late)
    by_hand.refused("book", "move", "r1-m", "--to", "2026-11-27 17:10", code=2, **late)
    by_hand.refused("book", "move", "r1-m", "--to", "2026-11-27 18:30", code=11, **late)
    moved = by_hand.json("book", "move", "r1-m", "--to", "2026-11-27 18:00", "--why", "step 11", **late)
    assert (moved["start"], moved["end"], moved["free_at"]) == (made["start"], "2026-11-27T23:00:00Z", use["start"])


def test_more_in_use_than_was_bought_and_plain_use_that_cannot_stay_are_told_with_what_helps(by_hand: Any) -> None:
    file = by_hand.folder / "rehearse.yaml"
    by_hand.run("book", "add", "UAT", "--from", "2026-12-01 09:00", "--to", "2026-12-01 10:00", "--why", "x", **NOW)
    freeze = "calendar: {blackouts: [{name: Freeze, from: 2026-12-01, to: 2026-12-02}]}\nlicences: {FULL: 0}\n"
    file.write_text(file.read_text() + freeze)
    assert "FULL: 1 in use, 0 bought." in by_hand.run("ledger", "list", **NOW).out
    said = by_hand.run("book", "list", **NOW).err
    assert "rehearse status" in said and "--replan" not in said, "a planning moves no plain use"
    assert any("book move" in one["clear_with"] for one in by_hand.json("status", **NOW)["radar"])


def test_a_baseline_whose_store_was_moved_here_is_what_a_planning_holds_releases_against(by_hand: Any) -> None:
    taken = datetime(2026, 11, 20, 8, tzinfo=UTC)
    moved = Baseline("B1", "UAT", "00D1", "01KB1", "abc", taken, 3, 2, 5, "usable", "old", "/old/store", "f" * 64)
    with contextlib.chdir(by_hand.folder), open_desk() as desk:
        desk.baselines().add(moved)
        assert _newest(desk) == []
        place = desk.workspace.storage.folder / "captures" / moved.capture
        place.mkdir(parents=True)
        (place / MANIFEST).write_text("{}")
        assert [one.baseline for one in _newest(desk)] == [moved]


def test_the_cut_off_of_a_preview_is_due_on_its_day(by_hand: Any) -> None:
    file = by_hand.folder / "rehearse.yaml"
    preview = "{name: Next, cut_off: 2026-12-03, from: 2026-12-05, to: 2027-01-10}"
    file.write_text(f"{file.read_text()}salesforce: {{preview: [{preview}]}}\n")
    (due,) = [one["due"] for one in by_hand.json("status", **NOW)["radar"] if one["kind"] == "preview"]
    assert due == "2026-12-04T04:59:00Z", "the last minute of that day in New York, and not the first of the next"
