"""Whether an org stood still while a proof was made: each way of writing is told, and what is no change is not."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from rehearse.baseline.capture import CaptureRequest, capture
from rehearse.baseline.model import Scope
from rehearse.errors import OrgRejected
from rehearse.practice import admin
from rehearse.practice.play_client import pack
from rehearse.reset.stillness import find_moved

WRITTEN = "records Routing__c: {} row(s) were written while the proof was made"
CAME = "records Routing__c: rows came or went while the proof was made"
SETUP = "metadata: the setup was changed while the proof was made"
DEPLOYED = "metadata: a deployment ended while the proof was made"


def test_rows_that_are_others_than_the_captured_ones_are_counted(lab: Any) -> None:
    """In the very second in which the capture began, and behind no filter; a row that was only touched is none."""
    clock = lab.server.estate.clock
    clock.set(lab.org.now().replace(microsecond=0) + timedelta(seconds=1))
    clock.pause()
    scope = Scope(metadata_include=(), objects=("Routing__c",), where={"Routing__c": "Active__c = true"})
    live = capture(lab.writer.reader, CaptureRequest("UATFULL", scope), lab.store)

    def moved() -> tuple[str, ...]:
        return find_moved(lab.writer.reader, lab.store, live)

    assert moved() == ()
    row, other, gone = lab.pick('"Routing__c" WHERE "Active__c" = 1 AND "IsDeleted" = 0 ORDER BY "Id" LIMIT 3')
    (away,) = lab.pick('"Routing__c" WHERE "Active__c" = 0 AND "IsDeleted" = 0 ORDER BY "Id" LIMIT 1')
    lab.update("Routing__c", {"Id": away, "Remark__c": "outside the filter"}, by="admin")
    remark = lab.value("Routing__c", row, "Remark__c")
    for text in ("for a moment", remark):
        lab.update("Routing__c", {"Id": row, "Remark__c": text}, by="admin")
    assert lab.value("Routing__c", row, "LastModifiedById") == lab.user("admin") and moved() == ()
    lab.update("Routing__c", {"Id": other, "Remark__c": "another value"}, by="admin")
    assert moved() == (WRITTEN.format(1),)
    (made,) = lab.insert("Routing__c", {"Code__c": "NEW", "Active__c": True}, by="admin")
    assert moved() == (CAME,)
    lab.delete(gone, by="admin")
    assert moved() == (WRITTEN.format(2),), "as many rows as before: the new one is not in the capture"
    lab.delete(made, by="admin")
    assert moved() == (CAME,)


def test_an_object_that_answers_no_sums_is_counted(lab: Any) -> None:
    live = lab.capture(objects=("Routing__c",))
    lab.insert("Routing__c", {"Code__c": "NEW"}, by="admin")

    def refuse(when: str, method: str, path: str) -> None:
        if when == "before":
            lab.hook = None
            raise OrgRejected("MALFORMED_QUERY", "field SystemModstamp does not support aggregate operator MAX", "x")

    lab.hook = refuse
    assert find_moved(lab.writer.reader, lab.store, live) == (CAME,)
    assert lab.hook is None


def test_setup_counts_from_the_second_after_the_capture_began_where_metadata_is_in_scope(
    lab: Any, tmp_path: Path
) -> None:
    def deploy(check: bool) -> None:
        assert lab.writer.wait_deploy(lab.writer.start_deploy(package, check_only=check)).success

    package = tmp_path / "package.zip"
    label = "<labels><fullName>Far</fullName><language>en_US</language><protected>false</protected>"
    head = 'xmlns="http://soap.sforce.com/2006/04/metadata"'
    files = {
        "labels/CustomLabels.labels": f"<CustomLabels {head}>{label}<shortDescription>Far</shortDescription>"
        "<value>far</value></labels></CustomLabels>",
        "package.xml": f"<Package {head}><types><members>*</members><name>CustomLabels</name></types>"
        "<version>67.0</version></Package>",
    }
    package.write_bytes(pack({path: text.encode() for path, text in files.items()}))
    deploy(check=False)
    lab.insert("PermissionSetAssignment", held(lab, "sales1"), by="admin")
    admin.move_clock(lab.server.estate, timedelta(seconds=2))
    live = lab.capture(objects=(), types=("CustomLabels",))
    rows = lab.capture(objects=("Routing__c",))
    admin.move_clock(lab.server.estate, timedelta(seconds=1))

    def moved() -> tuple[str, ...]:
        return find_moved(lab.writer.reader, lab.store, live)

    deploy(check=True)
    assert moved() == ()
    lab.insert("PermissionSetAssignment", held(lab, "sales2"), by="admin")
    assert moved() == (SETUP,)
    deploy(check=False)
    assert moved() == (DEPLOYED, SETUP)
    assert find_moved(lab.writer.reader, lab.store, rows) == ()


def held(lab: Any, alias: str) -> dict[str, str]:
    (set_id,) = lab.pick('"PermissionSet" WHERE "Name" = \'Data_Loading\'')
    return {"AssigneeId": lab.user(alias), "PermissionSetId": set_id}
