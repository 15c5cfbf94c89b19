"""Reset plans and proofs as pages: what comes back only nearly says why, and thousands of rows stay a page."""

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from rehearse.report.resets import build_plan_page, build_proof_page
from rehearse.report.text import render_text
from rehearse.reset.model import Action, Blocked, Proof, ProofItem, ResetPlan, SetupChange, Switch

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def text(actions: tuple[Action, ...], blocked: tuple[Blocked, ...] = ()) -> str:
    plan = ResetPlan("01", "UAT", "00D", "B1", "b", "l", NOW, actions, blocked, (), "f")
    return " ".join(render_text(build_plan_page(plan), width=160).split())


def test_what_comes_back_only_nearly_says_why() -> None:
    cases = tuple(
        Action(f"update/Case/{number}", 700, "update", "record", "Case", str(number), "residue", reason="a new stamp")
        for number in range(2)
    )
    row = Action("undelete/Account/1", 500, "undelete", "record", "Account", "1", "exact", reason="undeleted: or not")
    told = text((row, *cases))
    assert "Comes back only nearly" in told and "Case update 2 residue a new stamp" in told
    assert "1 row(s) undeleted: or not." in told
    assert "nearly" not in text((row,))


def test_thousands_that_stay_are_counted_by_reason() -> None:
    blocked = tuple(
        Blocked("record", "Lead", f"00Q{number:05}", "impossible", "not in the bin") for number in range(41)
    )
    assert "00Q00040" in text((), blocked[1:])
    told = text((), (*blocked, Blocked("record", "Task", "00T1", "manual", "no")))
    assert "Lead 41 of them, as 00Q00000 impossible not in the bin" in told and "Task 00T1 manual no" in told
    assert "00Q00040" not in told


def test_thousands_of_one_kind_do_not_hide_the_only_one_of_another() -> None:
    items = tuple(ProofItem("record", "Lead", f"00Q{number:05}", "failed", "no", "") for number in range(60))
    items = (*items, ProofItem("record", "Task", "00T00001", "manual", "by hand", ""))
    proof = Proof("01", "UAT", "00D", "B1", "ab", "cd", None, NOW, "dirty", items, {}, {}, {}, (), {})
    told = render_text(build_proof_page(proof, ZoneInfo("UTC")), width=160)
    assert "00T00001" in told and told.count("00Q") == 6 and "… and 54 Lead failed: see --json." in told
    assert render_text(build_proof_page(proof, ZoneInfo("UTC"), whole=True)).count("00Q") == 60


def test_a_page_of_a_proof_says_what_its_filters_chose_and_how_much_of_the_trail_it_leaves_out() -> None:
    scope = {"objects": ("Case",), "filters": ("Case: CreatedDate >= 2026-01-01T00:00:00Z",)}
    proof = Proof("01", "UAT", "00D", "B1", "ab", "cd", None, NOW, "clean", (), {}, scope, {}, (), {})
    trail = tuple(SetupChange("Ana", "Profiles", f"changed{number}", 1, "2026-11-23T08:00:00Z") for number in range(42))
    told = render_text(build_proof_page(replace(proof, setup_changes=trail), ZoneInfo("UTC")), width=160)
    assert "Scope: 1 objects." in told
    assert "Only the rows that a filter chose: Case: CreatedDate >= 2026-01-01T00:00:00Z" in told
    assert "changed39" in told and "changed40" not in told and "… and 2 more lines: see --json." in told


def test_a_plan_that_writes_nothing_names_no_switch() -> None:
    switch = (Switch("custom_permission", "Bypass"),)
    row = Action("undelete/Account/1", 500, "undelete", "record", "Account", "1", "exact")
    for actions, named in (((), False), ((row,), True)):
        plan = ResetPlan("01", "UAT", "00D", "B1", "b", "l", NOW, actions, (), (), "f", bypass=switch)
        assert ("bypass while it writes" in render_text(build_plan_page(plan), width=160)) is named
