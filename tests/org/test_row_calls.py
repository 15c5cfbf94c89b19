"""Row writes as they stand on the wire, and replies that the practice org does not give: under which headers rows go
out, whose answer is whose, and what a refused condition is called.
"""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from rehearse.errors import OrgUncertain
from rehearse.org.model import SaveResult
from rehearse.org.rows import MOST_GUARDED, RowWriter, can_guard
from rehearse.org.wire import Wire

AS_THEY_ARE = {"sforce-auto-assign": "FALSE", "sforce-duplicate-rule-header": "allowSave=true"}
"""No assignment rule gives a lead or case to somebody else, and no rule that only warns of a duplicate refuses."""
ONE, TWO = "00Q000000000001EAA", "00Q000000000002EAA"
ROWS = [{"Id": ONE[:15], "Company": "a"}, {"Id": TWO, "Company": "b"}]
AT = datetime(2026, 11, 23, 8, 0, 5, tzinfo=UTC)
SINCE = "Mon, 23 Nov 2026 08:00:05 GMT"


def part(place: int, status: int, body: Any = None, **more: Any) -> dict[str, Any]:
    return {"referenceId": f"r{place}", "httpStatusCode": status, "body": body, "httpHeaders": {}, **more}


def told(result: SaveResult) -> tuple[str | None, list[str]]:
    return result.id, ["ok"] if result.success else [one.code for one in result.errors]


def test_a_guarded_row_goes_under_its_condition_and_what_keeps_its_owner(open_wire: Wire, scripted: Any) -> None:
    """Alone; the instant is of any zone, and the Id of either length."""
    scripted.answers(("reply", b"", 204, {}))
    since = {ONE[:15]: AT.astimezone(timezone(timedelta(hours=5)))}
    (saved,) = RowWriter(open_wire, "67.0").update_if_unchanged("Lead", ROWS[:1], since)
    (asked,) = scripted.seen
    assert told(saved) == (ONE, ["ok"])
    assert (asked.method, asked.path) == ("PATCH", f"/services/data/v67.0/sobjects/Lead/{ONE}")
    assert json.loads(asked.body) == {"Company": "a"}
    expected = {**AS_THEY_ARE, "if-unmodified-since": SINCE, "content-type": "application/json"}
    assert {name: value.partition(";")[0] for name, value in asked.headers.items() if name in expected} == expected


def test_the_parts_of_one_call_go_so_too_and_each_answer_is_known_by_its_name(open_wire: Wire, scripted: Any) -> None:
    """A row without an instant has no condition; the replies stand in any order."""
    answers = [part(1, 412, [{"errorCode": "ENTITY_IS_LOCKED", "message": "x"}]), part(0, 204)]
    scripted.answers(("reply", {"compositeResponse": answers}, 200, {}))
    saved = RowWriter(open_wire, "67.0").update_if_unchanged("Lead", ROWS, {TWO: AT})
    assert [told(one) for one in saved] == [(ONE, ["ok"]), (TWO, ["PRECONDITION_FAILED"])]
    sent = json.loads(scripted.seen[0].body)["compositeRequest"]
    headers = [{name.lower(): value for name, value in one["httpHeaders"].items()} for one in sent]
    assert headers == [AS_THEY_ARE, {**AS_THEY_ARE, "if-unmodified-since": SINCE}]
    assert [one["url"].rpartition("/")[2] for one in sent] == [ONE, TWO]


def test_rows_that_are_inserted_or_updated_as_they_are_go_under_the_same_headers(
    open_wire: Wire, scripted: Any
) -> None:
    writer, row = RowWriter(open_wire, "67.0"), {"id": ONE, "success": True, "errors": []}
    for reply, call in (
        ([row], lambda: writer.insert("Lead", [{"Company": "a"}])),
        ([row], lambda: writer.update("Lead", ROWS[:1])),
        (row, lambda: (writer.insert_one("Lead", {"Company": "a"}),)),
    ):
        scripted.answers(("reply", reply, 200, {}))
        (saved,) = call()
        assert told(saved) == (ONE, ["ok"])
        assert AS_THEY_ARE.items() <= scripted.seen[-1].headers.items()


@pytest.mark.parametrize("body", [[{"errorCode": "ENTITY_IS_LOCKED", "message": "x"}], b"", b"<html>"])
def test_a_refused_condition_is_told_by_its_status_whatever_else_is_said(
    open_wire: Wire, scripted: Any, body: Any
) -> None:
    scripted.answers(("reply", body, 412, {}))
    (saved,) = RowWriter(open_wire, "67.0").update_if_unchanged("Lead", ROWS[:1], {ONE: AT})
    assert told(saved) == (ONE, ["PRECONDITION_FAILED"])


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [(405, None, "HTTP_405"), (501, [], "HTTP_501"), (400, [{"errorCode": "INVALID_HEADER"}], "INVALID_HEADER")],
)
def test_a_part_that_says_nothing_is_told_by_its_status(
    open_wire: Wire, scripted: Any, status: int, body: Any, code: str
) -> None:
    """These are the names by which an update is sent again without its condition."""
    scripted.answers(("reply", {"compositeResponse": [part(0, status, body), part(1, 204)]}, 200, {}))
    saved = RowWriter(open_wire, "67.0").update_if_unchanged("Lead", ROWS, {ONE: AT})
    assert [told(one) for one in saved] == [(ONE, [code]), (TWO, ["ok"])]


@pytest.mark.parametrize("places", [(0,), (0, 2), (0, 1, 2), ()])
def test_a_reply_that_names_other_parts_is_doubtful(open_wire: Wire, scripted: Any, places: tuple[int, ...]) -> None:
    scripted.answers(("reply", {"compositeResponse": [part(one, 204) for one in places]}, 200, {}))
    with pytest.raises(OrgUncertain):
        RowWriter(open_wire, "67.0").update_if_unchanged("Lead", ROWS, {ONE: AT})


def test_a_call_carries_as_many_conditions_as_a_composite_call_has_parts() -> None:
    assert MOST_GUARDED == 25
    assert can_guard([{"Id": ONE}] * 25) and not can_guard([{"Id": ONE}] * 26) and not can_guard([])
