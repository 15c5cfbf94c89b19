"""A reset plan as a page: what comes back only nearly says why, and thousands of rows stay a page."""

from datetime import UTC, datetime

from rehearse.report.resets import build_plan_page
from rehearse.report.text import render_text
from rehearse.reset.model import Action, Blocked, ResetPlan

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
