"""Proofs that read only what may have changed: whatever moves no stamp must not make them say more than is true.

The objects of the practice world are small, and small objects are read whole; here they are built on the baseline.
"""

import re
from typing import Any

import pytest

from rehearse.baseline import capture as capture_file
from rehearse.baseline import capture_rows
from rehearse.baseline.capture import CaptureRequest, capture
from rehearse.baseline.compare import compare
from rehearse.baseline.model import Scope
from rehearse.practice import components
from rehearse.practice.play_client import Caller, Seat


@pytest.fixture(autouse=True)
def small_objects_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Build on the baseline whatever its stamps allow, however few rows it has."""
    real = capture_rows.can_build
    monkeypatch.setattr(capture_rows, "can_build", lambda base, scope, schema, _: real(base, scope, schema, 0))


def differences(lab: Any, judge: Any, before: Any, picture: Any) -> set[tuple[str, str]]:
    """The rows in scope that differ from the picture, by the org's own tables."""
    found = judge.row_differences(lab, picture, judge.take_picture(lab), lab.ids.load())
    objects = {one.name for one in before.scope.objects}
    return {key for key in found if key[0] in objects}


def hold_to(lab: Any, judge: Any, before: Any, picture: Any) -> None:
    """A proof names every row that differs, and is clean only where none does."""
    proof = lab.prove(before)
    wrong = differences(lab, judge, before, picture)
    assert {(one.type, one.key) for one in proof.items} >= wrong
    assert (proof.verdict != "clean") == bool(wrong)


def test_a_lookup_to_a_row_that_was_deleted_for_good_is_empty(lab: Any, judge: Any) -> None:
    """It was cleared without a stamp; the row that it pointed at is in no bin, and not in scope."""
    before = lab.capture(objects=("Case",))
    picture = judge.take_picture(lab)
    purge(lab)
    hold_to(lab, judge, before, picture)


def deploy(lab: Any, files: dict[str, bytes]) -> None:
    with Caller(Seat(lab.server.http_url, lab.server.estate.issue_token(lab.org, lab.user("admin")))) as caller:
        caller.deploy(files)


def test_a_field_that_was_deleted_and_made_again_is_empty(lab: Any, judge: Any, chance_metadata: Any) -> None:
    """The new one looks like the old one, and no row was touched."""
    before = lab.capture(objects=("Routing__c",))
    picture = judge.take_picture(lab)
    make_again(lab, chance_metadata)
    hold_to(lab, judge, before, picture)


def test_a_report_that_lost_a_column_with_its_field_is_named(lab: Any, chance_metadata: Any) -> None:
    """The platform edits the report, and dates nothing."""
    before = lab.capture(objects=(), types=("Report",))
    report = next(one for one in components.load_type(lab.org, "Report") if b"<columns>" in one.xml)
    edited = re.sub(rb"\s*<columns>.*?</columns>", b"", report.xml, count=1, flags=re.DOTALL)
    deploy(lab, chance_metadata._package({}, {}, {"CustomField": ["Routing__c.Remark__c"]}))
    components.rewrite(lab.org, report, edited, None)
    proof = lab.prove(before)
    assert proof.verdict == "dirty"
    assert ("Report", report.name) in {(one.type, one.key) for one in proof.items}


def make_again(lab: Any, chance_metadata: Any) -> None:
    """Delete a field, and make one that looks the same."""
    name = "Routing__c.Remark__c"
    deploy(lab, chance_metadata._package({}, {}, {"CustomField": [name]}))
    inner = "<fields><fullName>Remark__c</fullName><label>Remark</label><type>TextArea</type></fields>"
    xml = (
        f"<Profile {chance_metadata.NS}><custom>false</custom><fieldPermissions><editable>true</editable>"
        f"<field>{name}</field><readable>true</readable></fieldPermissions></Profile>"
    )
    again = {**chance_metadata._object("Routing__c", inner), "profiles/Admin.profile": xml}
    deploy(lab, chance_metadata._package({"CustomField": [name], "Profile": ["Admin"]}, again, {}))


def purge(lab: Any) -> None:
    """Delete a machine that cases point at, so that it is in no bin."""
    (gone,) = lab.pick('"Machine__c" WHERE "Id" IN (SELECT "Machine__c" FROM "Case") ORDER BY "Id" LIMIT 1')
    lab.delete(gone, hard=True)
    with lab.org.transaction() as db:
        db.execute("DELETE FROM recycle_bin")
        db.execute('DELETE FROM "Machine__c" WHERE "Id" = ?', (gone,))


class Killed(BaseException):
    """What a kill looks like from inside: nothing may catch it."""


@pytest.mark.parametrize("what", ["look-up", "field"])
def test_a_capture_that_was_killed_and_continued_sees_what_happened_meanwhile(
    lab: Any, chance_metadata: Any, what: str
) -> None:
    """What it had read before was read well; then values went without a stamp."""
    object = "Case" if what == "look-up" else "Routing__c"
    before = lab.capture(objects=(object,))
    request = CaptureRequest("UATFULL", Scope(metadata_include=(), objects=(object,)), frozen=before, rest_rows=5)

    def kill(*more: Any) -> None:
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(capture_file, "save_manifest", kill)
        with pytest.raises(Killed):
            capture(lab.writer.reader, request, lab.store)
    purge(lab) if what == "look-up" else make_again(lab, chance_metadata)
    live = capture(lab.writer.reader, request, lab.store)
    assert compare(lab.store, before, live) or live.verdict == "partial"
