"""A release manager's month on one Full sandbox, from three days before the refresh to the next one, day by day.

Every step is a public command; the practice clock is moved between them. D0 is Friday 2026-12-04, the first day on
which UATFULL may be refreshed again, if the platform counts from the request.
"""

import os
from datetime import datetime, timedelta
from typing import Any

import pytest

LONG = os.environ.get("REHEARSE_TEST") == "all"
"""The failed rehearsal of D+7 and its reset have a story of their own (test_story.py); here it is told in full."""
DAY_0 = datetime.fromisoformat("2026-12-04T09:00:00+00:00")
SHEET = """\
Sandbox;Type;Last refresh;Booked from;Booked until;For;Owner;Next refresh?
UAT-Full;Full;05/11/2026;;;;Ana;soon?
TRAINING;Dev Pro;13/10/2026;14/12/2026;16/12/2026;course;Cleo;
TRAINING;;;15/12/2026;17/12/2026;demo;Dan;
SIT1;Partial;sometime in May;;;;;
"""
P1 = """\
version: 1
release: P1
title: The programme
go_live: 2027-01-11 18:00
priority: 2
rehearsals:
  - {name: mock, kind: mock, duration: 6h, forecast: burns, pin: {sandbox: uatfull}, before_go_live: 10d}
  - {name: dress, kind: dress, duration: 8h, after: mock, pin: {sandbox: UATFULL}, before_go_live: MARGIN}
"""


class Month:
    """The shell, with a clock that says which day of the story it is."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        shell.may_refresh = True
        self.json, self.run, self.refused = shell.json, shell.run, shell.refused

    def day(self, number: float, hour: float = 9) -> None:
        """Move the practice clock on to an hour of a day."""
        at = DAY_0 + timedelta(days=number, hours=hour - 9)
        self.run("practice", "clock", "--set", at.isoformat())


@pytest.fixture
def month(shell: Any) -> Month:
    shell.edit("from: 2026-12-24, to: 2027-01-03", "from: 2026-12-25, to: 2026-12-26")
    return Month(shell)


def test_the_month_of_a_release_manager(month: Month) -> None:
    _before_the_refresh(month)
    _the_refresh(month)
    _the_new_generation(month)
    _the_schedule(month)
    if LONG:
        _a_rehearsal_that_failed(month)
    _the_next_refresh(month)


def _before_the_refresh(month: Month) -> None:
    """D-3: the sheet moves in; the loss guard finds what somebody built in UATFULL and nowhere else."""
    month.day(-3)
    (month.shell.folder / "sheet.csv").write_text(SHEET)
    taken = month.json("ledger", "import", "sheet.csv", code=3)
    assert len(taken["taken"]) == 2
    assert [one["row"] for one in taken["bad"]] == [5] and "sometime in May" in taken["bad"][0]["why"]
    assert len(taken["clashes"]) == 1 and "row 4" in taken["clashes"][0] and "course" in taken["clashes"][0]

    month.run("practice", "play", "UATFULL")
    before = month.json("refresh", "request", "uatfull", "--dry-run", code=3)
    assert before["asked"] is False and before["refreshable"] == "no"
    lost = {(one["type"], one["name"]): one for one in before["losses"]["components"]}
    assert lost["ApexClass", "PaymentRunBatch"]["state"] == "only here" and lost["ApexClass", "PaymentRunBatch"]["by"]
    assert lost["ApexClass", "LegacyPaymentExport"]["state"] == "deleted here"
    assert {one["who"] for one in before["losses"]["setup"]} and not before["losses"]["not_asked"]
    assert "possible from" in month.json("refresh", "request", "UATFULL", code=5)["message"]


def _the_refresh(month: Month) -> None:
    """D0 to D+3: requested on the possible date, watched, held back by a booking, activated by name."""
    month.day(0)
    month.run("baseline", "capture", "UATFULL", "--metadata-only", "--name", "before")
    assert month.json("refresh", "check", "UATFULL")["refreshable"] == "maybe"
    asked = month.json("refresh", "request", "UATFULL")
    assert asked["asked"] and asked["fields_differ"] == [] and asked["expected"]["p50"] < asked["expected"]["p90"]
    assert asked["run_next"] == "rehearse refresh watch UATFULL"
    # the refresh is itself a booking: nobody books over it
    held = [one for one in month.json("book", "list", "UATFULL")["bookings"] if one["id"].startswith("refresh-")]
    over = ("book", "add", "UATFULL", "--from", held[0]["start"], "--to", held[0]["end"], "--why", "over it")
    assert month.run(*over, code=None).code != 0

    month.day(0, 19)
    watched = month.json("refresh", "watch", "UATFULL", code=4)
    assert watched["state"] == "waiting" and 0 < watched["percent"] < 100
    month.day(3)
    watched = month.json("refresh", "watch", "UATFULL")
    assert watched["state"] == "decide" and watched["activate_by"].startswith("2027-01-0")

    month.run("book", "cancel", held[0]["id"], "--why", "a test runs")
    use = ("book", "add", "UATFULL", "--from", "2026-12-07 08:00", "--to", "2026-12-07 12:00", "--why", "last checks")
    booked = month.json(*use)
    activate = ("refresh", "activate", "UATFULL")
    assert "last checks" in month.json(*activate, "--confirm", "UATFULL", code=5)["message"]
    month.run("book", "cancel", booked["id"], "--why", "done")
    assert month.refused(*activate, code=5)["code"] == "not-confirmed"
    assert month.json(*activate, "--confirm", "SIT1", code=5)["code"] == "not-confirmed"
    month.run("practice", "fault", "add", "lose-reply", "--at", "activation")
    assert month.json(*activate, "--confirm", "UATFULL")["state"] == "waiting"
    month.day(3, 10)
    arrived = month.json("refresh", "watch", "UATFULL")
    assert arrived["state"] == "done" and arrived["checked"] and arrived["ready_open"] >= 5
    assert arrived["baseline"] is None and "masking" in arrived["no_baseline"]


def _the_new_generation(month: Month) -> None:
    """D+3: old baselines are void, no baseline before masking, ready only when every item has an owner and a tick."""
    found = {one["name"]: one for one in month.json("baseline", "list")["baselines"]}
    assert found["before"]["voided"]
    assert "masking" in month.json("baseline", "capture", "UATFULL", code=5)["message"]
    listed = month.json("refresh", "ready", "UATFULL", "--owner", "masking finished=Ana", code=3)
    names = [one["item"] for one in listed["items"]]
    assert names[0] == "masking finished" and listed["items"][0]["owner"] == "Ana"
    assert "owns" in month.json("refresh", "ready", "UATFULL", "--tick", names[1], code=5)["message"]
    ticks = [word for name in names for word in ("--tick", name)]
    done = month.json("refresh", "ready", "UATFULL", "--owner", "all=Bob", *ticks, "--by", "Cleo")
    assert done["ready"] and {one["by"] for one in done["items"]} == {"Cleo"}
    # the run that ticks the masking captures the new baseline, once
    assert done["captured"] and month.json("refresh", "ready", "UATFULL")["captured"] is False
    taken = month.json("baseline", "show", done["baseline"], "--sandbox", "UATFULL")
    assert taken["verdict"] == "usable" and taken["org_id"] == done["org_id"] and taken["records"]

    shown = month.json("ledger", "show", "UATFULL")
    assert shown["settled"] and shown["counts_from"] == "request" and "accepted" in shown["evidence"]
    assert shown["possible_from"] == shown["certain_from"] and shown["certain_from"].startswith("2027-01-02T09:0")
    assert shown["last_error"]["told"] and shown["last_error"]["took_hours"] < shown["last_error"]["expected_p50_hours"]
    assert len(shown["next"]) == 6 and shown["left_year"]["certain"] == 0


def _the_schedule(month: Month) -> None:
    """D+5: the programme's mock burns the sandbox, so its dress fits only with less distance from the go-live."""
    month.day(5)
    plan = month.shell.folder / "plans" / "p1.yaml"
    plan.write_text(P1.replace("MARGIN", "8d"))
    nothing = month.json("plan", "plans/p1.yaml", "--dry-run", code=3)
    rules = {row["rule"] for one in nothing["unplaced"] for row in one["reasons"]}
    assert "burns" in rules and any(repair["checked"] for one in nothing["unplaced"] for repair in one["repairs"])
    plan.write_text(P1.replace("MARGIN", "2d"))
    schedule = month.json("plan", "plans/p1.yaml", "--book")
    assert not schedule["unplaced"] and [one["sandbox"] for one in schedule["refreshes"]] == ["UATFULL"]
    assert schedule["refreshes"][0]["request"] >= "2027-01-02T09:00:00Z"


def _a_rehearsal_that_failed(month: Month) -> None:
    """D+7: nobody changed anything since B1; the rehearsal goes wrong; hours later the sandbox is proven clean."""
    month.day(7)
    assert month.json("diff", "UATFULL")["changes"] == []
    month.run("practice", "play", "UATFULL")
    plan = month.json("reset", "plan", "UATFULL")
    assert plan["actions"] and not plan["blocked"]
    # the new copy still points at production's endpoints: the egress gate says so, and somebody answers for it
    apply = ("reset", "apply", plan["id"], "--confirm", "UATFULL", "--delete-side-effects")
    assert "RemoteSiteSetting" in month.json(*apply, code=5)["message"]
    allowed = ("--allow-egress", "Ledger", "--allow-egress", "Rates", "--reason", "both are stubs in the test network")
    proof = month.json(*apply, *allowed)
    assert proof["verdict"] == "clean"


def _the_next_refresh(month: Month) -> None:
    """D+29: the date was right. The same command again finds the copy under way and sends nothing."""
    month.day(28, 23)
    assert month.json("refresh", "check", "UATFULL", code=3)["refreshable"] == "no"
    month.day(29, 9.1)
    assert month.json("refresh", "check", "UATFULL")["refreshable"] == "yes"
    assert month.json("refresh", "request", "UATFULL")["asked"]
    again = month.json("refresh", "request", "UATFULL")
    assert again["found"] and again["copy"]["requested"].startswith("2027-01-02")
    lines = {one["name"]: one for one in month.json("ledger", "list", "--offline")["sandboxes"]}
    assert lines["UATFULL"]["certain_from"] is None or lines["UATFULL"]["refreshable"] == "no"
    assert lines["TRAINING"]["type"] == "DEVELOPER_PRO"
    month.run("ledger", "export", "month.xlsx")
    assert month.json("report")["sandboxes"]
