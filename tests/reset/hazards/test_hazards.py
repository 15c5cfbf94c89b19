"""Every row of the tables of hazards that the practice org can show: change, forecast, reset, grade; all agree."""

import os
from collections.abc import Iterator
from typing import Any

import pytest

from rehearse import clock
from rehearse.practice.play import take_seats
from rehearse.practice.play_client import Caller
from rehearse.reset.forecast import build_forecast
from rehearse.reset.forecast_package import open_package
from rehearse.reset.forecast_read import Base, Demand, forecast_inputs
from tests.reset.hazards.building import Case, build, load_cases

LONG = os.environ.get("REHEARSE_TEST") == "all"
COMPONENTS = load_cases("components")
ALLOWED = {
    "exact": {"restored", "already equal"},
    "residue": {"residue"},
    "manual": {"manual"},
    "impossible": {"impossible"},
}
OBJECTS = ("Routing__c", "Machine__c", "TriggerSwitch__c")


@pytest.fixture
def crew(lab: Any) -> Iterator[Any]:
    """Deploys over the wire, by every rule of the platform."""
    _, admin = take_seats(lab.server.estate, "UATFULL", lab.server.http_url)
    with Caller(admin) as caller:
        yield caller.deploy


def items_of(case: Case) -> dict[tuple[str, str], str]:
    """What a case is judged by, with the grade that everybody has to give it."""
    if "items" in case:
        named = dict(case["items"])
    else:
        kinds = ("parts", "copies", "edits", "apex", "resource", "bundle", "deletes")
        named = {place: case["grade"] for kind in kinds for place in case.get(kind, ())}
    return {tuple(place.split(":", 1)): grade for place, grade in named.items()}  # type: ignore[misc]


@pytest.mark.parametrize("together", sorted({one["together"] for one in COMPONENTS}) if LONG else ["changes"])
def test_the_forecast_of_a_component_is_its_outcome(lab: Any, crew: Any, together: str) -> None:
    cases = [one for one in COMPONENTS if one["together"] == together]
    files = build(lab, cases)
    before = lab.capture(objects=OBJECTS, types=("*",))
    demand = Demand((open_package(files),))
    forecast = build_forecast(forecast_inputs(demand, Base(lab.store, before), None, clock.now()))
    crew(files)
    plan = lab.plan(before)
    proof = lab.prove(before, plan, lab.apply(plan))
    foreseen = {(one.type, one.key): one.grade for one in forecast.items if one.kind == "component"}
    planned = {(one.type, one.key): one.grade for one in (*plan.actions, *plan.blocked) if one.kind == "component"}
    outcome = {(one.type, one.key): (one.outcome, one.detail) for one in proof.items if one.kind == "component"}
    wrong = []
    for case in cases:
        for place, grade in items_of(case).items():
            said = (foreseen.get(place), planned.get(place), outcome.get(place))
            fits = grade == "unknown" or (said[2] is not None and said[2][0] in ALLOWED[grade])
            if said[:2] != (grade, grade) or not fits:
                wrong.append((case["fact"], place, grade, said))
    assert not wrong, "\n".join(map(str, wrong))
    for place, grade in foreseen.items():
        assert grade == "unknown" or outcome.get(place, ("already equal", ""))[0] in ALLOWED[grade], (place, grade)
    assert set(outcome) <= set(foreseen), "nothing changed that nobody foresaw"
