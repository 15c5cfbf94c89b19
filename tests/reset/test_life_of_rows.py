"""Rows with a life of their own: contracts and orders that are activated, team members, series, fields that age."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from rehearse.baseline.model import Capture, Change, ComparableField, ObjectScope, ResolvedScope, Scope
from rehearse.baseline.row_kinds import is_covered
from rehearse.baseline.scope import (
    comparable_fields,
    drifting_fields,
    match_objects,
    resolve_objects,
    skipped_objects,
    unread_rows,
)
from rehearse.org.model import Field, ObjectSummary, Schema
from rehearse.reset.activation import born_as, in_turn
from rehearse.reset.coupled import follows, moved_along
from rehearse.reset.gather import with_lost_values
from rehearse.reset.inputs import MetadataBook, PlanInputs, RowBook
from rehearse.reset.pictures import list_pictures
from rehearse.reset.plan import build_plan
from rehearse.reset.row_marks import retyped_fields

Row = dict[str, str | None]
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
SIGNED: Row = {"Status": "Signed", "StatusCode": "Activated", "Description": None}
DRAFT: Row = {"Status": "New", "StatusCode": "Draft", "Description": "x"}


def schema(name: str, *fields: Field, **flags: bool) -> Schema:
    whole = Schema(name, "8xx", True, True, True, True, True, True, False, fields)
    return replace(whole, **flags)  # type: ignore[arg-type]


def text(name: str, **flags: Any) -> Field:
    return Field(name, **{"type": "string", "createable": True, "updateable": True, **flags})


def inputs(
    described: Schema,
    before: Row | None,
    after: Row | None,
    place: str = "",
) -> PlanInputs:
    fields = tuple(ComparableField(one.name, one.type) for one in described.fields)
    scope = ResolvedScope((), (ObjectScope(described.name, fields),))
    sides = [
        Capture(ulid, "s", "UATFULL", "00D000000000001AAA", NOW, NOW, "67.0", scope, {}, (), 0, "", "", (), "usable")
        for ulid in ("OLD", "NEW")
    ]
    change = Change("record", described.name, "1", "old" if before else None, "new" if after else None)
    book = RowBook({"1": before} if before else {}, {"1": after} if after else {}, {"1": place} if place else {})  # type: ignore[dict-item]
    return PlanInputs(
        "UATFULL", "B1", sides[0], sides[1], (change,), {described.name: described}, {described.name: book},
        MetadataBook(), NOW,
    )  # fmt: skip


CONTRACT = schema("Contract", text("Description"), text("Status"), Field("StatusCode", "picklist"))


def test_a_contract_is_activated_under_whatever_name_its_org_gave_that_status() -> None:
    plan = build_plan(inputs(CONTRACT, DRAFT, {**DRAFT, "Status": "Signed", "StatusCode": "Activated"}))
    assert [(one.grade, one.key) for one in plan.blocked] == [("impossible", "1")] and not plan.actions
    made = build_plan(inputs(CONTRACT, None, SIGNED))
    assert [one.grade for one in made.blocked] == ["impossible"] and not made.actions
    order = build_plan(inputs(replace(CONTRACT, name="Order"), DRAFT, SIGNED))
    assert [(one.do, one.grade) for one in order.actions] == [("update", "exact")]


def test_orders_and_contracts_are_born_as_drafts_and_activated_by_a_write_of_its_own() -> None:
    assert born_as("Order", SIGNED) == {"Status": "Draft"} and born_as("Account", SIGNED) == {}
    assert in_turn("Order", DRAFT, SIGNED, {"Status": "Signed", "Description": None}) == {"Description": None}
    assert in_turn("Order", DRAFT, SIGNED, {"Status": "Signed"}) == {"Status": "Signed"}
    assert in_turn("Order", SIGNED, DRAFT, {"Status": "New", "Description": "x"}) == {"Status": "New"}
    assert in_turn("Order", DRAFT, {**DRAFT, "Status": "Checked"}, {"Status": "Checked", "Description": "x"}) == {
        "Status": "Checked", "Description": "x",
    }  # fmt: skip


def test_a_team_member_is_inserted_again_whatever_describe_says_of_undelete() -> None:
    member = schema("OpportunityTeamMember", text("TeamMemberRole"))
    (action,) = build_plan(inputs(member, {"TeamMemberRole": "x"}, None, "bin")).actions
    assert (action.do, action.grade) == ("insert", "residue")


@pytest.mark.parametrize("field", ["IsRecurrence", "IsRecurrence2"])
def test_a_series_that_no_bin_holds_is_left_to_somebody(field: str) -> None:
    event = schema("Event", text("Subject"), Field(field, "boolean"))
    plan = build_plan(inputs(event, {"Subject": "x", field: "true"}, None, "absent"))
    assert [one.grade for one in plan.blocked] == ["manual"] and not plan.actions


AGES = schema(
    "Opportunity",
    text("Name"),
    Field("AgeInDays", "int"),
    Field("HasOverdueTask", "boolean"),
    Field("PushCount", "int"),
)


def test_what_ages_by_itself_decides_nothing_and_is_no_lost_field_of_an_older_baseline() -> None:
    assert [one.name for one in comparable_fields(AGES)] == ["Name", "PushCount"]
    assert drifting_fields(schema("Entitlement", text("Status"))) == ()
    given = inputs(AGES, {"Name": "x"}, {"Name": "y"})
    now = replace(given.after, scope=ResolvedScope((), (ObjectScope("Opportunity", comparable_fields(AGES)),)))
    asked: Any = None
    assert with_lost_values(asked, (given.before, now), {"Opportunity": AGES}, given.changes) == given.changes
    assert list(retyped_fields(replace(given, after=now))) == []


def test_records_of_custom_metadata_are_metadata_and_a_feed_is_what_people_wrote() -> None:
    assert is_covered("Rate__mdt", ("CustomMetadata",)) and not is_covered("Rate__mdt", ("CustomObject",))
    assert not is_covered("Rate__c", ("CustomMetadata",))
    feed = schema("FeedItem", text("Body"), Field("Type", "picklist", createable=True))
    ((found,), warnings) = resolve_objects(Scope(objects=("FeedItem",)), {"FeedItem": feed}, NOW)
    assert found.where is not None and "TrackedChange" in found.where and not warnings
    names = [
        one.name
        for one in skipped_objects(Scope(objects=("*",)), [ObjectSummary("Log__b", None, True, False, True, False)])
    ]
    told = [one.note for one in unread_rows(Scope(objects=("Rate__mdt", "Gone__c")), (), {})]
    assert names == ["Log__b"] and told == [
        "named in the scope, but its rows are metadata: CustomMetadata",
        "named in the scope, but the org has no such readable object",
    ]
    summaries = [ObjectSummary(one, None, True, False, True, False) for one in ("FeedItem", "FeedTrackedChange")]
    assert match_objects(Scope(objects=("*",)), summaries) == ("FeedItem",)


def picture(id: str) -> str:
    return f'<p>so</p><img src="https://x.example/servlet/rtaImage?eid=500000000000001&amp;feoid=Body&amp;refid={id}">'


@pytest.mark.parametrize(
    ("after", "place", "grade", "named"),
    [
        ({"Body": "<p>so</p>"}, "", "unknown", True),
        ({"Body": picture("0EM000000000001") + "more"}, "", "exact", False),
        (None, "absent", "residue", True),
        (None, "bin", "exact", False),
    ],
)
def test_pictures_in_texts_that_are_written_back_are_named(
    after: Row | None, place: str, grade: str, named: bool
) -> None:
    case = schema("Case", text("Body", type="textarea"))
    plan = build_plan(inputs(case, {"Body": picture("0EM000000000001")}, after, place))
    (action,) = plan.actions
    assert (action.grade, "pictures in Body" in action.reason, bool(list_pictures(plan))) == (grade, named, named)
    assert list_pictures(None) == ()


def test_a_group_of_permission_sets_is_assigned_by_the_group_alone() -> None:
    group: Row = {"PermissionSetGroupId": "0PG000000000001AAA", "PermissionSetId": "0PS000000000001AAA"}
    assert follows("PermissionSetAssignment", group) == {"PermissionSetId"}
    assert follows("PermissionSetAssignment", {**group, "PermissionSetGroupId": None}) == frozenset()


@pytest.mark.parametrize(
    ("object", "day", "grade"), [("Contract", "EndDate", "exact"), ("Task", "CompletedDateTime", "residue")]
)
def test_a_date_that_is_made_of_others_comes_back_with_them_and_a_stamp_does_not(
    object: str, day: str, grade: str
) -> None:
    described = schema(object, text("Status"), Field(day, "date"))
    plan = build_plan(inputs(described, {"Status": "x", day: "2026-01-01"}, {"Status": "y", day: "2027-01-01"}))
    assert [(one.grade, one.fields) for one in plan.actions] == [(grade, ("Status",))]


def test_a_stage_is_backed_out_with_what_it_moves_and_no_load_names_a_price_twice() -> None:
    assert moved_along("Opportunity", ["StageName"]) == {"StageName", "Probability", "ForecastCategoryName"}
    assert moved_along("OpportunityLineItem", ["Quantity"]) == {"UnitPrice"}
    assert not moved_along("Account", ["StageName"])
