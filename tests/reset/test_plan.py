"""The plan as a pure function, held to properties on a small model of an org: carried out, it gives the baseline."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rehearse import clock
from rehearse.baseline.model import Capture, Change, ComparableField, ObjectScope, ResolvedScope
from rehearse.errors import Damaged
from rehearse.org.model import Child, Field, Schema
from rehearse.reset.inputs import MetadataBook, PlanInputs, RowBook
from rehearse.reset.model import Choices, Creation, ResetPlan
from rehearse.reset.plan import build_fingerprint, build_plan
from rehearse.reset.plan_file import load_plan, may_leave_rows, save_plan

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
FIELDS = (
    ComparableField("Master__c", "reference"),
    ComparableField("Name", "string"),
    ComparableField("Up__c", "reference"),
)
MASTER = Schema("Master__c", "a01", True, True, True, True, True, True, False, (
    Field("Name", "string", createable=True, updateable=True),
    Field("Up__c", "reference", createable=True, updateable=True, reference_to=("Master__c",)),
), (Child("Detail__c", "Master__c", True, False),))  # fmt: skip
DETAIL = Schema("Detail__c", "a02", True, True, True, True, True, True, False, (
    Field("Name", "string", createable=True, updateable=True),
    Field("Master__c", "reference", createable=True, updateable=True, nillable=False, relationship_order=0),
    Field("Up__c", "reference", createable=True, updateable=True, reference_to=("Master__c",)),
))  # fmt: skip
SCHEMAS = {"Master__c": MASTER, "Detail__c": DETAIL}
World = dict[str, dict[str, dict[str, str | None]]]


def build_capture(ulid: str) -> Capture:
    scope = ResolvedScope((), tuple(ObjectScope(name, FIELDS) for name in SCHEMAS))
    return Capture(ulid, "s", "UATFULL", "00D000000000001AAA", NOW, NOW, "67.0", scope, {}, (), 0, "", "", (), "usable")


@st.composite
def worlds(draw: st.DrawFn, master_ids: list[str], detail_ids: list[str]) -> World:
    masters = draw(st.lists(st.sampled_from(master_ids), unique=True, min_size=1))
    details = draw(st.lists(st.sampled_from(detail_ids), unique=True))
    names = st.sampled_from([None, "x", "y"])
    up = st.one_of(st.none(), st.sampled_from(masters))
    return {
        "Master__c": {id: {"Master__c": None, "Name": draw(names), "Up__c": draw(up)} for id in masters},
        "Detail__c": {
            id: {"Master__c": draw(st.sampled_from(masters)), "Name": draw(names), "Up__c": draw(up)} for id in details
        },
    }


OLD_MASTERS, OLD_DETAILS = [f"M{n}" for n in range(4)], [f"D{n}" for n in range(4)]
NEW_MASTERS, NEW_DETAILS = [f"MN{n}" for n in range(2)], [f"DN{n}" for n in range(2)]


@st.composite
def cases(draw: st.DrawFn) -> tuple[World, World, dict[str, str]]:
    before = draw(worlds(OLD_MASTERS, OLD_DETAILS))
    kept_masters, kept_details = list(before["Master__c"]), list(before["Detail__c"])
    after = draw(worlds(kept_masters + NEW_MASTERS, kept_details + NEW_DETAILS))
    gone = [id for object in before for id in before[object] if id not in after[object]]
    return before, after, {id: draw(st.sampled_from(["bin", "absent"])) for id in gone}


def build_inputs(before: World, after: World, where: dict[str, str], **more: Any) -> PlanInputs:
    changes, rows = [], {}
    for object in before:
        ids = sorted({*before[object], *after[object]})
        changed = [id for id in ids if before[object].get(id) != after[object].get(id)]
        for id in changed:
            sides = ["digest" if id in world[object] else None for world in (before, after)]
            what = Change("record", object, id, sides[0], sides[1])
            changes.append(replace(what, before="old", after="new") if all(sides) else what)
        rows[object] = RowBook(
            {id: before[object][id] for id in changed if id in before[object]},
            {id: after[object][id] for id in changed if id in after[object]},
            {id: where[id] for id in changed if id in where},  # type: ignore[misc]
        )
    return PlanInputs(
        "UATFULL", "B1", build_capture("OLD"), build_capture("NEW"), tuple(changes), SCHEMAS, rows, MetadataBook(), NOW,
        **more,
    )  # fmt: skip


def carry_out(plan: ResetPlan, before: World, after: World) -> World:
    """A small org: actions in order, with the rules that matter (no firm reference to nothing, no cascade)."""
    world = {object: {id: dict(row) for id, row in rows.items()} for object, rows in after.items()}
    alive = lambda: {id for rows in world.values() for id in rows}  # noqa: E731
    finish: list[tuple[str, str]] = []
    for action in plan.actions:
        rows = world[action.type]
        if action.do == "detach":
            rows[action.key].update(dict.fromkeys(action.fields))
        elif action.do == "delete":
            below = [id for id, row in world["Detail__c"].items() if row["Master__c"] == action.key]
            assert not below, f"deleting {action.key} would take {below} along"
            del rows[action.key]
            for other in world.values():
                for row in other.values():
                    row.update({name: None for name in ("Up__c",) if row[name] == action.key})
        elif action.do in ("undelete", "insert"):
            master = before[action.type][action.key]["Master__c"]
            assert master is None or master in alive(), "a detail comes back after its master"
            values = dict(before[action.type][action.key])
            waiting = {name for name in ("Up__c",) if values[name] not in alive()}
            assert action.do == "undelete" or waiting <= set(action.fields) | {n for n in waiting if values[n] is None}
            rows[action.key] = {**values, **dict.fromkeys(waiting)}
            finish.append((action.type, action.key))
        else:
            assert action.do == "update"
            rows[action.key].update({name: before[action.type][action.key][name] for name in action.fields})
    for object, key in finish:
        world[object][key] = dict(before[object][key])
    return world


@settings(max_examples=300, deadline=None)
@given(cases())
def test_carried_out_a_plan_gives_the_baseline_back(case: tuple[World, World, dict[str, str]]) -> None:
    before, after, where = case
    plan = build_plan(build_inputs(before, after, where))
    assert not plan.blocked
    assert carry_out(plan, before, after) == before


@settings(deadline=None)
@given(cases())
def test_nothing_outside_the_changes_is_touched_and_each_change_is_planned_or_named(
    case: tuple[World, World, dict[str, str]],
) -> None:
    before, after, where = case
    inputs = build_inputs(before, after, where)
    plan = build_plan(inputs)
    changed = {(one.type, one.key) for one in inputs.changes}
    assert {(one.type, one.key) for one in (*plan.actions, *plan.blocked)} == changed
    assert len({one.id for one in plan.actions}) == len(plan.actions)
    kept = build_plan(replace(inputs, choices=Choices(False, False, False)))
    assert not kept.actions
    assert {(one.type, one.key) for one in kept.blocked} == changed


@settings(deadline=None)
@given(cases())
def test_only_fields_that_differ_are_written(case: tuple[World, World, dict[str, str]]) -> None:
    before, after, where = case
    for action in build_plan(build_inputs(before, after, where)).actions:
        if action.do == "update":
            old, new = before[action.type][action.key], after[action.type][action.key]
            assert set(action.fields) == {name for name in old if old[name] != new[name]}


def test_unique_values_that_go_to_the_bin_are_told_for_the_next_rehearsal() -> None:
    unique = replace(MASTER, fields=(replace(MASTER.fields[0], unique=True), MASTER.fields[1]))
    rows: dict[str, dict[str, str | None]] = {
        id: {"Master__c": None, "Name": name, "Up__c": None} for id, name in (("M0", "a"), ("N1", "b"), ("N2", None))
    }
    before, after = {"Master__c": {"M0": rows["M0"]}}, {"Master__c": rows}
    schemas = {"Master__c": unique, "Detail__c": DETAIL}
    (told,) = build_plan(replace(build_inputs(before, after, {}), schemas=schemas)).warnings
    assert told.startswith("Master__c: 1 created row(s) go to the recycle bin with their Name, which is unique")
    assert not build_plan(build_inputs(before, after, {})).warnings, "nothing is unique"
    assert not build_plan(replace(build_inputs(before, before, {}), schemas=schemas)).warnings, "nothing is deleted"


def test_a_parent_that_cannot_be_changed_back_is_named_and_the_rest_is_done() -> None:
    fixed = tuple(replace(one, updateable=one.name != "Master__c") for one in DETAIL.fields)
    before: World = {"Master__c": {}, "Detail__c": {"D1": {"Master__c": "M1", "Name": "x", "Up__c": None}}}
    after: World = {"Master__c": {}, "Detail__c": {"D1": {"Master__c": "M2", "Name": "y", "Up__c": None}}}
    inputs = replace(build_inputs(before, after, {}), schemas={**SCHEMAS, "Detail__c": replace(DETAIL, fields=fixed)})
    plan = build_plan(inputs)
    assert [(one.do, one.fields) for one in plan.actions] == [("update", ("Name",))]
    assert [(one.key, one.grade) for one in plan.blocked] == [("D1", "impossible")]


@settings(deadline=None)
@given(st.integers(0, 999_999))
def test_a_plan_has_one_fingerprint_whenever_it_is_made(microsecond: int) -> None:
    nothing: World = {"Master__c": {}, "Detail__c": {}}
    plan = build_plan(replace(build_inputs(nothing, nothing, {}), made_at=NOW.replace(microsecond=microsecond)))
    assert build_fingerprint(replace(plan, made_at=clock.from_iso(clock.iso(plan.made_at)))) == plan.fingerprint


def test_a_saved_plan_is_read_back_equal_and_one_changed_byte_is_noticed(tmp_path: Any) -> None:
    before: World = {"Master__c": {"M1": {"Master__c": None, "Name": "x", "Up__c": None}}, "Detail__c": {}}
    after: World = {"Master__c": {"MN0": {"Master__c": None, "Name": "secret value", "Up__c": None}}, "Detail__c": {}}
    plan = build_plan(build_inputs(before, after, {"M1": "absent"}))
    path = tmp_path / "plans" / "plan.json"
    save_plan(plan, path)
    text = path.read_text()
    assert load_plan(path) == plan
    assert "secret value" not in text, "a plan holds no record value"
    assert build_fingerprint(plan) == plan.fingerprint
    for place in range(0, len(text), 7):
        path.write_text(text[:place] + ("x" if text[place] != "x" else "y") + text[place + 1 :])
        try:
            loaded = load_plan(path)
        except Damaged:
            continue
        pytest.fail(f"byte {place} was changed and {loaded.id} was read")


def test_only_a_plan_that_may_leave_rows_of_others_is_read_again(tmp_path: Path) -> None:
    plan = build_plan(build_inputs({"Master__c": {}, "Detail__c": {}}, {"Master__c": {}, "Detail__c": {}}, {}))
    path = tmp_path / "plan.json"
    for created, told in (((), False), ((Creation("Ann", "Master__c", 3, False),), False)):
        save_plan(replace(plan, created=created), path)
        assert may_leave_rows(path) is told
    path.write_text(path.read_text().replace('"stay": false', '"stay": fa1se'))
    assert may_leave_rows(path), "damaged: it is read, and told"
    save_plan(replace(plan, created=(Creation("Ann", "Master__c.Up__c", 3, True),)), path)
    assert may_leave_rows(path)
