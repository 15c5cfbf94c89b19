"""Versions of flows: does the one act that acted, whatever was deleted, deployed again or renumbered?"""

from dataclasses import replace
from typing import Any

import pytest

from rehearse.baseline.model import Change, Component
from rehearse.practice import meta_flows
from rehearse.practice.components import Author
from rehearse.reset.flow_states import flow_marks, flow_residue
from rehearse.reset.inputs import FlowState, MetadataBook, PlanInputs
from rehearse.reset.plan_metadata import plan_metadata

FLOW = "Case_Urgency"


def book(before: tuple[int, tuple[int, ...]], after: tuple[int, tuple[int, ...]], live: str) -> MetadataBook:
    """A baseline and an org by active version and versions; `live` names the contents of the newest live one."""
    held, now = (Component("Flow", FLOW, one, (f"flows/{FLOW}.flow",)) for one in ("held", live))
    place = ("Flow", FLOW)
    states = [{FLOW: FlowState(*one)} if one[1] else {} for one in (before, after)]
    return MetadataBook({place: held}, {place: now} if after[1] else {}, {}, {}, *states)


def planned(found: MetadataBook, inputs: PlanInputs) -> tuple[list[str], list[str]]:
    """What is done to the flow, with the version, and how what is not done is graded."""
    change = Change("component", "FlowDefinition", FLOW, "before", "after")
    actions, blocked = plan_metadata(replace(inputs, changes=(change,), metadata=found))
    return [f"{one.do} {' '.join(one.fields)}".strip() for one in actions], [one.grade for one in blocked]


@pytest.fixture
def inputs() -> PlanInputs:
    from tests.reset.test_plan import NOW, build_capture

    return PlanInputs("UATFULL", "B1", build_capture("b"), build_capture("a"), (), {}, {}, MetadataBook(), NOW)


@pytest.mark.parametrize(
    ("before", "after", "live", "actions", "blocked"),
    [
        # the version that acted is gone, an older draft acts in its place: nobody holds what was in it
        ((2, (1, 2, 3)), (3, (1, 3)), "held", [], ["impossible"]),
        ((1, (1, 2)), (0, ()), "", ["deploy"], ["impossible"]),
        # deployed again it counts from one: number 1 is the draft, not the version 1 that acted
        ((1, (1, 2)), (1, (1,)), "held", [], ["impossible"]),
        ((1, (1, 2)), (0, (1,)), "held", [], ["impossible"]),
        # the newest acted and is gone: its contents are held
        ((2, (1, 2)), (1, (1,)), "other", ["deploy"], []),
        ((2, (1, 2)), (3, (1, 3)), "other", ["activate-flow 0", "delete-flow-version 3", "deploy"], []),
        ((2, (1, 2)), (0, (1, 3)), "held", ["activate-flow 3"], []),
        ((2, (1, 2)), (3, (1, 3)), "held", [], ["residue"]),
        ((2, (1, 2)), (1, (1,)), "held", [], ["residue"]),
        ((1, (1, 2)), (2, (1, 2)), "held", ["activate-flow 1"], []),
        ((1, (1, 2)), (2, (1, 2)), "other", ["activate-flow 1"], ["manual"]),
        ((1, (1, 2)), (3, (1, 2, 3)), "other", ["activate-flow 1", "delete-flow-version 3"], []),
        ((0, ()), (2, (1, 2)), "new", ["activate-flow 0", "delete-flow-version 2", "delete-flow-version 1"], []),
    ],
)
def test_what_a_plan_does_to_a_flow(
    before: Any, after: Any, live: str, actions: list[str], blocked: list[str], inputs: PlanInputs
) -> None:
    found = book(before, after, live)
    if not before[1]:
        found = replace(found, before={})
    assert planned(found, inputs) == (actions, blocked)


@pytest.mark.parametrize(
    ("before", "after", "live", "residue"),
    [
        ((2, (1, 2, 3)), (2, (2, 3)), "held", "older versions are lost: 1"),
        ((2, (1, 2)), (1, (1,)), "held", "version 2 is now version 1"),
        ((3, (1, 2, 3)), (4, (2, 4)), "held", "older versions are lost: 1; version 3 is now version 4"),
        ((0, (1, 2)), (0, (2,)), "held", "older versions are lost: 1"),
        ((2, (1, 2, 3)), (3, (1, 3)), "held", None),
        ((2, (1, 2, 3)), (3, (2, 3)), "held", None),
        ((1, (1, 2)), (1, (1,)), "held", None),
        ((2, (1, 2)), (0, (1,)), "held", None),
        ((2, (1, 2)), (2, (2,)), "other", None),
        ((2, (1, 2)), (2, (2, 3)), "held", None),
        ((2, (1, 2)), (0, ()), "", None),
    ],
)
def test_only_lost_numbers_are_a_residue(before: Any, after: Any, live: str, residue: str | None) -> None:
    """Never another version that acts: active is active only where it is the same one."""
    assert flow_residue(book(before, after, live), FLOW) == residue


def test_marks_tell_a_lost_number_from_lost_contents() -> None:
    assert flow_marks(book((2, (1, 2, 3)), (3, (1, 3)), "held"), FLOW) == {"active-lost"}
    assert flow_marks(book((3, (1, 2, 3)), (3, (1, 3)), "held"), FLOW) == {"version-lost"}
    assert flow_marks(book((1, (1,)), (0, ()), ""), FLOW) == set()


def test_a_draft_that_acts_in_place_of_a_deleted_version_is_no_residue(lab: Any) -> None:
    """A flow has an active version and a newer draft; the rehearsal switches the draft on and deletes what acted."""
    admin = Author(lab.user("admin"), "2026-11-23T08:00:00.000Z")
    before = lab.capture(objects=(), types=("Flow",))
    meta_flows.set_active(lab.org, "Invoice_Reminder", 2, admin)
    meta_flows.delete_version(lab.org, "Invoice_Reminder", 1, admin)
    meta_flows.set_active(lab.org, FLOW, 1, admin)
    meta_flows.delete_version(lab.org, FLOW, 2, admin)
    proof = lab.reset(before)
    assert proof.verdict == "dirty"
    assert {one.key: one.outcome for one in proof.items} == {"Invoice_Reminder": "impossible", FLOW: "residue"}
    versions = {one.number: one.status for one in meta_flows.load_versions(lab.org, FLOW)}
    assert versions == {1: "Obsolete", 2: "Active"}


@pytest.mark.parametrize(
    ("active", "verdict", "outcome"), [(1, "dirty", "impossible"), (2, "clean-with-residue", "residue")]
)
def test_versions_that_were_made_again_under_their_numbers_are_not_called_the_same(
    lab: Any, active: int, verdict: str, outcome: str
) -> None:
    """The flow is deleted and deployed twice: the newest version is the old one, the one before it is another."""
    admin = Author(lab.user("admin"), "2026-11-23T08:00:00.000Z")
    meta_flows.set_active(lab.org, FLOW, active, admin)
    assert len(meta_flows.load_versions(lab.org, FLOW)) == 2
    before = lab.capture(objects=(), types=("Flow",))
    with lab.org.transaction() as db:
        db.execute(
            "UPDATE meta_flow_version SET created_at = ?, id = '301000000000999AAA' WHERE flow = ? AND number = 1",
            (lab.org.stamp(), FLOW),
        )
    proof = lab.prove(before)
    assert (proof.verdict, [(one.key, one.outcome) for one in proof.items]) == (verdict, [(FLOW, outcome)])
