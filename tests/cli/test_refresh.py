"""The ledger and the refresh verbs at the command line: shapes, names in any case, and no right to refresh."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any


def _without_control(desk: Any) -> None:
    path: Path = desk.folder / "rehearse.yaml"
    lines = [line for line in path.read_text().splitlines() if not line.startswith("  control: ")]
    path.write_text("\n".join(lines) + "\n")


def test_the_ledger_says_dates_what_is_left_and_the_licences(desk: Any) -> None:
    body = desk.json("ledger", "list")
    assert body["schema"] == "rehearse.ledger/1"
    one = next(line for line in body["sandboxes"] if line["name"] == "UATFULL")
    assert len(one["next"]) == 6 and one["next"][0]["possible"] < one["next"][0]["certain"]
    assert one["left_quarter"]["certain"] <= one["left_quarter"]["possible"] == 1
    assert one["copy_time"]["basis"] == "6 own copies" and one["settled"] is False
    assert one["last_error"]["took_hours"] == 31 and one["last_error"]["within_p90"] is True
    full = next(line for line in body["licences"] if line["type"] == "FULL")
    assert (full["bought"], full["used"], full["free"]) == (2, 2, 0)
    shown = desk.json("ledger", "show", "uatfull")
    assert shown["schema"] == "rehearse.ledger-sandbox/1" and len(shown["cycles"]) == 6
    last = shown["cycles"][-1]
    assert last["phases_hours"]["queue"] > 0 and last["forecast"]["told"] is False and last["source"] == "org"
    assert desk.refused("ledger", "show", "NOPE", code=10)["message"]


def test_what_others_saw_is_written_down_completed_and_taken_back(desk: Any) -> None:
    add = ("ledger", "add", "TRAINING", "--requested", "2026-11-01 09:00")
    assert desk.json(*add, "--type", "Dev Pro", "--dry-run")["kept"] is False
    assert "copying" in desk.json(*add, "--type", "Dev Pro", "--by", "platform team")["said"]
    assert "completed" in desk.json(*add, "--copied", "2026-11-01 11:00", "--activated", "2026-11-01 12:00")["said"]
    desk.run("ledger", "add", "training", "--refused", "2026-11-01 18:00", "--text", "Refresh date hasn't been met")
    shown = desk.json("ledger", "show", "TRAINING", "--offline")
    assert [one["licence"] for one in shown["cycles"]] == ["DEVELOPER_PRO"]
    assert [one["text"] for one in shown["cycles"][0]["refusals"]] == ["Refresh date hasn't been met"]
    assert shown["possible_from"] == "2026-11-02T09:00:00Z" and shown["certain_from"] == "2026-11-02T12:00:00Z"
    assert any(one["name"] == "TRAINING" for one in desk.json("sandboxes")["sandboxes"])
    desk.run("ledger", "forget", "training", "--requested", "2026-11-01 09:00")
    assert not [one for one in desk.json("ledger", "list", "--offline")["sandboxes"] if one["name"] == "TRAINING"]


def test_what_cannot_have_been_is_not_written_down(desk: Any) -> None:
    desk.run("ledger", "list")
    for words, says in (
        (("--requested", "2027-11-01 09:00"), "future"),
        (("--requested", "2026-11-01 09:00", "--copied", "2026-10-01 09:00"), "follow one another"),
        (("--requested", "2026-11-05 08:00"), "Production itself knows"),
        ((), "--requested"),
    ):
        assert says in desk.refused("ledger", "add", "UATFULL", *words, code=2)["message"]


def test_without_the_right_to_refresh_the_words_for_the_platform_team_are_given(desk: Any) -> None:
    _without_control(desk)
    body = desk.json("refresh", "request", "perffull", code=3)
    letter = "\n".join(body["ask"])
    assert body["asked"] is False and "PERFFULL" in letter and "Auto Activate off" in letter
    assert "HistoryDays: 0" in letter and "rehearse ledger add PERFFULL --requested" in letter
    for verb in ("activate", "discard"):  # nobody is asked to decide where no copy waits
        assert "none waits" in desk.refused("refresh", verb, "PERFFULL", code=5)["message"]


def test_a_dry_run_asks_for_nothing_and_a_watch_of_nothing_says_so(desk: Any) -> None:
    assert desk.json("refresh", "request", "PERFFULL", "--dry-run")["asked"] is False
    assert desk.json("refresh", "activate", "PERFFULL", "--dry-run", code=3)["obstacles"]
    assert desk.json("refresh", "watch", "PERFFULL")["state"] == "done"
    ready = desk.json("refresh", "ready", "PERFFULL", code=3)
    assert ready["items"] == [] and ready["ready"] is False
    assert "nothing waits" in desk.refused("refresh", "discard", "PERFFULL", "--confirm", "PERFFULL", code=5)["message"]


def test_a_slip_in_an_option_is_told_before_anything_is_sent(desk: Any) -> None:
    for verb in ("activate", "watch"):
        assert "duration" in desk.refused("refresh", verb, "UATFULL", "--for", "10s", code=2)["message"]
    asked = desk.json("refresh", "request", "PERFFULL", "--dry-run")
    assert asked["found"] is False and asked["ask"] == asked["fields_differ"] == [] and asked["run_next"] is None


def test_a_refusal_for_want_of_a_licence_says_where_licences_are_shown(desk: Any) -> None:
    practice = ("practice", "setting"), ("--folder", str(desk.world))
    desk.run(*practice[0], "put", "licences", '{"FULL": 2, "PARTIAL": 0, "DEVELOPER": 1}', *practice[1])
    try:
        body = desk.json("refresh", "request", "DEV1", code=3)
    finally:
        desk.run(*practice[0], "clear", "licences", *practice[1])
    assert (body["refused"]["code"], body["run_next"]) == ("LIMIT_EXCEEDED", "rehearse ledger list")


def test_a_query_of_the_file_ticks_its_item_when_it_counts_what_it_must(desk: Any) -> None:
    path: Path = desk.folder / "rehearse.yaml"
    ready = """refresh:
  ready:
    - {item: masking finished, owner: Ana, soql: "SELECT COUNT() FROM Contact WHERE Email LIKE '%@nowhere'", equals: 0}
    - {item: bank stubbed, owner: Bob, soql: "SELECT COUNT() FROM Account WHERE Name = 'nobody'", equals: 1}
"""
    path.write_text(path.read_text() + ready)
    body = desk.json("refresh", "ready", "perffull", "--start", "--no-baseline", code=3)
    assert (body["baseline"], body["captured"], body["no_baseline"]) == (None, False, "--no-baseline was given")
    assert [(one["item"], one["owner"], one["done"], one["by"]) for one in body["items"]] == [
        ("masking finished", "Ana", True, "the query"),
        ("bank stubbed", "Bob", False, None),
    ]
    path.write_text(path.read_text().replace("    include: [Account,", "    include: []  # ["))
    done = desk.json("refresh", "ready", "PERFFULL", "--tick", "bank", "--by", "Bob")
    assert done["ready"] is True and "no records in scope" in done["no_baseline"]


def test_names_of_rehearse_yaml_mean_productions_names_in_any_letter_case(desk: Any) -> None:
    path: Path = desk.folder / "rehearse.yaml"
    slot = ("--from", "2026-12-01 09:00", "--to", "2026-12-01 12:00", "--why", "a test")
    booked = desk.json("book", "add", "SIT1", *slot)["id"]
    path.write_text(path.read_text().replace("  SIT1:\n", "  Sit1:\n"))
    assert [(one["id"], one["sandbox"]) for one in desk.json("book", "list", "SIT1")["bookings"]] == [(booked, "Sit1")]
    assert [one["id"] for one in desk.json("refresh", "check", "Sit1")["bookings"]] == [booked]
    desk.refused("book", "add", "sit1", *slot, code=11)
    lines = [one for one in desk.json("sandboxes")["sandboxes"] if one["name"].lower() == "sit1"]
    assert [one["name"] for one in lines] == ["Sit1"] and lines[0]["generation"] == 5
    assert desk.json("diff", "SIT1", code=10)["code"] == "not-found"
    assert desk.json("refresh", "check", "SIT1")["sandbox"] == "Sit1"


def _forget_newest(desk: Any, sandbox: str) -> None:
    """As it stood before the last refresh of a sandbox was seen."""
    with closing(sqlite3.connect(desk.folder / ".rehearse" / "rehearse.db")) as database:
        newest = "SELECT max(requested) FROM refresh_cycle WHERE sandbox = ?1"
        database.execute(f"DELETE FROM refresh_cycle WHERE sandbox = ?1 AND requested = ({newest})", (sandbox,))
        database.commit()


def test_a_refresh_that_others_made_between_two_looks_begins_its_ready_list(desk: Any) -> None:
    desk.run("sandboxes")
    assert desk.json("refresh", "ready", "SIT1", code=3)["items"] == [], "what was long before is nobody's to prepare"
    _forget_newest(desk, "SIT1")
    # the login answers as an org that the ledger does not know: its records are those of people until somebody says no
    refused = desk.refused("baseline", "capture", "SIT1", code=5)
    assert "'masking finished' is open" in refused["message"]
    assert '--owner "masking finished=NAME" --tick "masking finished"' in refused["hint"], "nobody owns it yet"
    _forget_newest(desk, "UATFULL")
    assert "UATFULL was refreshed by others" in desk.run("sandboxes").err
    lines = {one["name"]: one for one in desk.json("status")["sandboxes"]}
    assert [name for name, one in lines.items() if one["condition"] == "not-ready"] == ["SIT1", "UATFULL"]
    assert "As production told" not in desk.run("status").out
    later = {"REHEARSE_NOW": "2026-11-25T08:00:00Z"}
    assert "As production told on Mon 2026-11-23" in " ".join(desk.run("status", **later).out.split())
    assert desk.json("status", **later)["production_told"] == desk.json("report", **later)["production_told"]


def test_a_login_that_leads_to_another_sandbox_captures_nothing(desk: Any) -> None:
    """Its records were kept as those of this one, also where they were not masked yet."""
    desk.run("sandboxes")
    path: Path = desk.folder / "rehearse.yaml"
    lines = path.read_text().splitlines()
    other = lines[lines.index("  DEV1:") + 1]
    lines[lines.index("  SIT1:") + 1] = other
    path.write_text("\n".join(lines) + "\n")
    for more in ((), ("--unmasked",), ("--metadata-only",)):
        refused = desk.refused("baseline", "capture", "SIT1", *more, code=5)
        assert "is the sandbox DEV1" in refused["message"]
    masked = '{item: masking finished, owner: Ana, soql: "SELECT COUNT() FROM Contact WHERE Email = null", equals: 0}'
    path.write_text(path.read_text() + f"refresh: {{ready: [{masked}]}}\n")
    (item,) = desk.json("refresh", "ready", "SIT1", "--start", "--no-baseline", code=3)["items"]
    assert item["done"] is False, "what is masked over there says nothing of this org"
    asked = desk.run("refresh", "request", "SIT1", "--dry-run")
    assert "is the sandbox DEV1" in asked.err and "could not be asked" in asked.out, "what it would take is not DEV1's"
