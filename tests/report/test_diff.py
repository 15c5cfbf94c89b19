"""Differences as pages: a summary first, then types, then each change; what is not compared is told."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rehearse.baseline.components import FlowVersions
from rehearse.baseline.flow_notes import tell_flow
from rehearse.baseline.left_filter import LEFT
from rehearse.baseline.model import Change, FieldChange
from rehearse.baseline.store_model import SchemaChange
from rehearse.report.diff import Difference, build_diff_body, build_diff_page
from rehearse.report.text import render_text

ACCOUNT = "001000000000001AAA"
CHANGES = (
    Change("component", "Profile", "Admin", "a", "b", tuple(FieldChange(name, "1", "2") for name in (
        "fieldPermissions[A.B].editable", "fieldPermissions[A.C]", "fieldPermissions[A.D]", "fieldPermissions[A.E]",
        "layoutAssignments[L]", "description",
    ))),
    Change("component", "FlowDefinition", "Remind", "a", "b"),
    Change("record", "Account", ACCOUNT, "a", "b", (FieldChange("Name", "d1", "d2"),), by="005000000000001AAA"),
    Change("record", "Account", "001000000000002AAA", "a", "b", (FieldChange("Name", "d1", "d2"),), note=LEFT),
    Change("record", "Account", "001000000000003AAA", None, "b", (FieldChange("Name", None, "d2"),)),
)  # fmt: skip


def difference(**more: Any) -> Difference:
    return Difference("UATFULL", "B1", CHANGES, people={"005000000000001AAA": "Una Who"}, **more)


def text(of: Difference, most: int | None = None) -> str:
    return render_text(build_diff_page(of, most), width=160)


def test_the_summary_comes_first_by_kind_and_type() -> None:
    lines = [line.split() for line in text(difference()).splitlines() if line.strip()]
    at = lines.index(["components", "0", "2", "0"])
    assert lines[at + 1 : at + 5] == [
        ["FlowDefinition", "1"], ["Profile", "1"], ["records", "1", "2", "0"], ["Account", "1", "2"],
    ]  # fmt: skip


def test_a_profile_is_told_by_section_unless_everything_is_asked_for() -> None:
    told = " ".join(text(difference(), 5).split())
    assert "fieldPermissions: 4 (A.B.editable," in told and "layoutAssignments: 1 (L); description" in told
    assert "fieldPermissions[A.E]" in text(difference()) and "fieldPermissions: 4" not in text(difference())


def test_people_have_names_and_notes_are_shown() -> None:
    told = text(difference(notes={("FlowDefinition", "Remind"): "active version 1 -> 2"}))
    assert "Una Who" in told and LEFT in told and "active version 1 -> 2" in told
    (body,) = (one for one in build_diff_body(difference())["changes"] if one["key"] == ACCOUNT)
    assert body["by"] == "005000000000001AAA" and body["fields"] == [{"name": "Name", "before": "d1", "after": "d2"}]


def test_nobody_is_named_for_what_was_not_written_since_the_baseline() -> None:
    """A look-up that is cleared as its row goes keeps the date and the writer of years ago: that was not them."""
    began = datetime(2026, 11, 23, 8, 0, 0, 700_000, tzinfo=UTC)
    dated = [replace(CHANGES[2], at=began.replace(microsecond=0) - timedelta(seconds=late)) for late in (0, 1)]
    (now, old) = (build_diff_body(replace(difference(since=began), changes=[one]))["changes"][0] for one in dated)
    assert (now["by"], now["by_name"], now["note"]) == ("005000000000001AAA", "Una Who", "")
    assert (old["by"], old["by_name"]) == (None, None) and "nobody wrote it" in old["note"]
    assert "Una Who" not in text(replace(difference(since=began), changes=dated[1:]))


def test_values_only_where_they_were_asked_for() -> None:
    assert "secret" not in text(difference())
    shown = difference(values={("Account", ACCOUNT): {"Name": ("secret", None)}})
    assert "Name: 'secret' -> null" in text(shown)
    assert build_diff_body(shown)["changes"][2]["fields"] == [{"name": "Name", "before": "secret", "after": None}]


def test_what_is_left_out_is_counted_and_what_is_not_compared_is_told() -> None:
    schemas = (SchemaChange("Account", "Extra__c", None, "string"),)
    told = text(difference(schemas=schemas), 1)
    assert "Not shown: 2 Account" in told and "Extra__c" in told and "added" in told
    nothing = Difference("UATFULL", "B1", (), schemas=schemas)
    assert "Nothing differs" in text(nothing) and "Extra__c" in text(nothing)
    assert build_diff_body(nothing)["not_compared"] == [
        {"type": "Account", "field": "Extra__c", "why": "added", "before": None, "after": "string"}
    ]


ONE, TWO = FlowVersions(1, {1: "Active"}), FlowVersions(2, {1: "Obsolete", 2: "Active"})


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (ONE, TWO, "active version 1 -> 2; version 2 added"),
        (TWO, FlowVersions(None, {2: "Draft"}), "active version 2 -> none; version 1 gone"),
        (None, FlowVersions(None, {1: "Draft", 2: "Draft"}), "versions 1, 2 added"),
        (ONE, ONE, ""),
    ],
)
def test_a_flow_is_told_by_version_and_activation(before: Any, after: Any, told: str) -> None:
    assert tell_flow(before, after) == told
