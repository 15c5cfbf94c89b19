"""Every row of the tables of hazards that the practice org can show: change, forecast, reset, grade; all agree."""

import os
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from rehearse import clock
from rehearse.practice.packages_installed import move_package
from rehearse.practice.play import take_seats
from rehearse.practice.play_client import Caller
from rehearse.reset.forecast import build_forecast
from rehearse.reset.forecast_package import open_package
from rehearse.reset.forecast_read import Base, Demand, forecast_inputs
from rehearse.reset.hazards import HAZARDS
from rehearse.reset.model import ResetPlan
from tests.reset.hazards.building import Case, build, build_given, load_cases, load_table
from tests.reset.hazards.deeds import Deeds

LONG = os.environ.get("REHEARSE_TEST") == "all"
COMPONENTS, ROWS = load_cases("components"), load_cases("rows")
TOGETHER = sorted({one["together"] for one in (*COMPONENTS, *ROWS)}) if LONG else ["changes"]
ALLOWED = {
    "exact": {"restored", "already equal"},
    "residue": {"residue"},
    "manual": {"manual"},
    "impossible": {"impossible"},
}
WORSE = ("exact", "unknown", "residue", "manual", "impossible")
OBJECTS = (
    "Account", "Automation__c", "Contact", "Invoice__c", "InvoiceLine__c", "Lead", "Machine__c", "Opportunity",
    "OpportunityContactRole", "OpportunityLineItem", "Payment__c", "Project__c", "ProjectMember__c", "Routing__c",
    "Task", "TriggerSwitch__c", "User",
)  # fmt: skip
MORE_OBJECTS = {"leads": ("Event",), "files": ("ContentVersion", "ContentDocument", "ContentDocumentLink")}
Place = tuple[str, str]


@pytest.fixture
def crew(lab: Any) -> Iterator[Any]:
    """Deploys over the wire, by every rule of the platform."""
    _, admin = take_seats(lab.server.estate, "UATFULL", lab.server.http_url)
    with Caller(admin) as caller:
        yield caller.deploy


def items_of(case: Case) -> dict[Place, str]:
    """What a component case is judged by, with the grade that everybody has to give it."""
    if "items" in case:
        named = dict(case["items"])
    else:
        kinds = ("parts", "copies", "edits", "apex", "resource", "bundle", "deletes")
        named = {place: case["grade"] for kind in kinds for place in case.get(kind, ())}
    return {tuple(place.split(":", 1)): grade for place, grade in named.items()}  # type: ignore[misc]


@pytest.mark.parametrize("together", TOGETHER)
def test_the_forecast_is_the_outcome(lab: Any, crew: Any, tmp_path: Path, together: str) -> None:
    components = [one for one in COMPONENTS if one["together"] == together]
    rows = [(one, deed) for one in ROWS if one["together"] == together for deed in one["do"]]
    deeds = Deeds(lab)
    for one in ROWS:
        for deed in one.get("prepare", ()) if one["together"] == together else ():
            deeds.run(one["fact"], deed)
    if given := [one for one in components if "given" in one]:
        crew(build_given(lab, given))
    before = lab.capture(objects=(*OBJECTS, *MORE_OBJECTS.get(together, ())), types=("*",))
    if first := [one for one in components if "first" in one]:
        crew(build_given(lab, first, "first"))
    package = build(lab, components)
    files = {f"step{n}": (deeds.file(f"step{n}", deed, tmp_path), deed, one) for n, (one, deed) in enumerate(rows)}
    demand = Demand((open_package(package),), tuple(file for file, _, _ in files.values() if file is not None))
    forecast = build_forecast(forecast_inputs(demand, Base(lab.store, before), None, clock.now()))
    if components:
        crew(build(lab, [one for one in components if "deed" not in one]))
        if any("deed" in one for one in components):
            move_package(lab.org, lab.user("admin"), "tidemaps", "3.13")
    for one, deed in rows:
        deeds.run(one["fact"], deed)
    for one in ROWS:
        if one["together"] == together and "wait" in one:
            lab.server.estate.clock.move(timedelta(hours=one["wait"]))
    plan = lab.plan(before)
    proof = lab.prove(before, plan, lab.apply(plan, ask_more=lambda actions: True))
    planned: dict[Place, str] = {}
    for done in (*plan.actions, *plan.blocked):
        planned[done.type, done.key] = max(planned.get((done.type, done.key), "exact"), done.grade, key=WORSE.index)
    outcome = {(one.type, one.key): (one.outcome, one.detail) for one in proof.items}
    foreseen = {(one.type, one.key): one.grade for one in forecast.items if one.kind == "component"}
    wrong = list(_wrong_components(components, foreseen, planned, outcome))
    wrong += list(_wrong_rows(deeds, planned, outcome))
    by_step = {one.key: one.grade for one in forecast.items if one.kind == "record"}
    wrong += [
        (one["fact"], step, deed["grade"], by_step.get(step))
        for step, (file, deed, one) in files.items()
        if file is not None and by_step.get(step) != deed["grade"]
    ]
    said = {(one.type, one.key): {one.hazard} for one in forecast.items if one.kind == "component"}
    for one in (one for one in forecast.items if one.kind == "record"):
        said.setdefault(("", one.key), set()).add(one.hazard)
    wrong += list(_not_shown(plan, said, components, {step: one for step, (_, _, one) in files.items()}, deeds))
    assert not wrong, "\n".join(map(str, wrong))
    _check_nothing_unforeseen(foreseen, {(one.type, one.key) for one in proof.items if one.kind == "component"})


def _wrong_components(
    cases: list[Case], foreseen: dict[Place, str], planned: dict[Place, str], outcome: dict[Place, tuple[str, str]]
) -> Iterator[Any]:
    for case in cases:
        for place, grade in items_of(case).items():
            said = (foreseen.get(place), planned.get(place), outcome.get(place))
            fits = grade == "unknown" or (said[2] is not None and said[2][0] in ALLOWED[grade])
            if said[:2] != (grade, grade) or not fits:
                yield case["fact"], place, grade, said
    for place, grade in foreseen.items():
        if grade != "unknown" and outcome.get(place, ("already equal", ""))[0] not in ALLOWED[grade]:
            yield "foreseen otherwise", place, grade, outcome.get(place)


def _wrong_rows(deeds: Deeds, planned: dict[Place, str], outcome: dict[Place, tuple[str, str]]) -> Iterator[Any]:
    for fact, object, id, grade, foreseen in deeds.judged:
        said = (planned.get((object, id)), outcome.get((object, id), ("", "")))
        if said[0] != foreseen or (grade != "unknown" and said[1][0] not in ALLOWED[grade]):
            yield fact, (object, id), grade, said


def _not_shown(
    plan: ResetPlan, said: dict[Place, set[str]], components: list[Case], steps: dict[str, Case], deeds: Deeds
) -> Iterator[Any]:
    """The rows of our own table that a case claims to show and that neither plan nor forecast gave as a reason."""
    for done in (*plan.actions, *plan.blocked):
        names = {row.name for row in HAZARDS if row.kind == done.kind and done.reason.startswith(row.reason)}
        said.setdefault((done.type, done.key), set()).update(names)
    places: dict[str, set[Place]] = {one["fact"]: {*items_of(one), ("", "deploy")} for one in components}
    for step, one in steps.items():
        places.setdefault(one["fact"], set()).add(("", step))
    for fact, object, id, *_ in deeds.judged:
        places.setdefault(fact, set()).add((object, id))
    for one in (*components, *steps.values()):
        shown = set().union(*(said.get(place, set()) for place in places[one["fact"]]))
        claimed = {*one["hazards"], *one.get("of_rows", ())}
        if not claimed or not claimed <= shown:
            yield one["fact"], sorted(claimed), sorted(shown)


def _check_nothing_unforeseen(foreseen: dict[Place, str], changed: set[Place]) -> None:
    assert changed <= set(foreseen), sorted(changed - set(foreseen))


NOT_SHOWN = load_table("not_shown")


@pytest.mark.parametrize("table", ["metadata", "data"])
def test_every_row_of_the_tables_of_facts_is_shown_or_has_a_reason(table: str) -> None:
    facts = [one["fact"].partition(":")[0] for one in (*COMPONENTS, *ROWS)]
    shown = {number for one in facts if one.startswith(table) for number in re.findall(r"\d+", one)}
    hidden = set(NOT_SHOWN[table])
    assert shown | hidden == set(load_table("table")[table])
    assert not shown & hidden


@pytest.mark.parametrize("kind", ["component", "record", "step"])
def test_every_row_of_our_own_table_is_shown_or_has_a_reason(kind: str) -> None:
    cases = {"component": COMPONENTS, "record": ROWS, "step": []}[kind]
    shown, hidden = {name for one in cases for name in one["hazards"]}, set(NOT_SHOWN[kind])
    shown |= {name for one in COMPONENTS for name in one.get("of_rows", ()) if kind == "record"}
    assert shown | hidden == {row.name for row in HAZARDS if row.kind == kind}
    assert not shown & hidden


def test_what_is_held_elsewhere_is_held() -> None:
    reasons = [text for table in NOT_SHOWN.values() for text in table.values()]
    named = {path for text in reasons for path in re.findall(r"tests/[\w/.]+\w", text)}
    root = Path(__file__).parents[3]
    assert named and all((root / path).exists() for path in named), sorted(named)


def test_every_case_is_told_apart() -> None:
    facts = [one["fact"] for one in (*COMPONENTS, *ROWS)]
    assert len(facts) == len(set(facts))
