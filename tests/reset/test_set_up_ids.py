"""Set-up that the rehearsal deleted comes back by deployment under a new Id; rows that name the old one follow it."""

from typing import Any

NS = 'xmlns="http://soap.sforce.com/2006/04/metadata"'


def test_people_get_back_the_permission_set_that_was_deployed_again(lab: Any) -> None:
    """Its assignments went with it, and named an Id that is gone: they were refused one by one."""
    from rehearse.practice.play_client import Caller, Seat

    objects = ("PermissionSetAssignment",)
    before = lab.capture(objects=objects, types=("PermissionSet",))
    (old,) = lab.pick('"PermissionSet" WHERE "Name" = ?', "Data_Loading")
    held = lab.pick('"PermissionSetAssignment" WHERE "PermissionSetId" = ?', old)
    member = "<types><members>Data_Loading</members><name>PermissionSet</name></types>"
    package = f"<Package {NS}>{{}}<version>67.0</version></Package>"
    files = {"package.xml": package.format(""), "destructiveChanges.xml": package.format(member)}
    with Caller(Seat(lab.server.http_url, lab.server.estate.issue_token(lab.org, lab.user("admin")))) as caller:
        caller.deploy({path: text.encode() for path, text in files.items()})
    assert held and not lab.pick('"PermissionSetAssignment" WHERE "PermissionSetId" = ?', old)
    proof = lab.reset(before)
    (new,) = lab.pick('"PermissionSet" WHERE "Name" = ?', "Data_Loading")
    assert len(lab.pick('"PermissionSetAssignment" WHERE "PermissionSetId" = ?', new)) == len(held)
    assert new != old
    assert proof.verdict == "clean-with-residue"
    assert {(one.type, one.key) for one in proof.items if one.outcome == "residue"} == {
        ("PermissionSet", "Data_Loading"), ("PermissionSet", old), *(("PermissionSetAssignment", one) for one in held)
    }  # fmt: skip
