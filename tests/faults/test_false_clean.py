"""Every way found so far to make a proof say more than is true; each was, or could have been, a lie."""

import os
from typing import Any

import pytest

RULE = (
    '<CustomObject xmlns="http://soap.sforce.com/2006/04/metadata"><validationRules><fullName>New</fullName>'
    "<active>false</active><errorConditionFormula>FALSE</errorConditionFormula><errorMessage>no</errorMessage>"
    "</validationRules></CustomObject>"
)
LEFT = {
    "classes/Left.cls": "public class Left {}",
    "classes/Left.cls-meta.xml": '<ApexClass xmlns="http://soap.sforce.com/2006/04/metadata">'
    "<apiVersion>67.0</apiVersion><status>Active</status></ApexClass>",
}


def test_an_edit_of_a_reinserted_row_is_no_residue(lab: Any) -> None:
    """Its new auto-number is residue; its changed text is not."""
    objects = ("Payment__c",)
    before = lab.capture(objects=objects)
    (payment,) = lab.pick('"Payment__c" WHERE "RefundOf__c" IS NULL ORDER BY "Id" LIMIT 1')
    lab.delete(payment, hard=True)
    assert lab.reset(before, ask_more=lambda rows: True).verdict == "clean-with-residue"
    new = lab.ids.load()[payment]
    lab.update("Payment__c", {"Id": new, "Note__c": "edited after the reset"})
    proof = lab.prove(before)
    assert proof.verdict == "dirty"
    assert {one.key: one.outcome for one in proof.items}[payment] == "failed"


@pytest.mark.parametrize("nth", range(1, 9) if os.environ.get("REHEARSE_TEST") == "all" else (4,))
def test_a_list_that_is_refused_makes_no_clean_proof(lab: Any, nth: int) -> None:
    """A class was added; one metadata call is refused when the proof is made: nobody can say clean."""
    from rehearse.errors import OrgError, OrgRejected

    types = ("ApexClass", "ApexTrigger", "PermissionSet", "Layout", "CustomLabels", "Report")
    before = lab.capture(objects=(), types=types)
    lab.deploy(LEFT)
    heard = 0

    def refuse(when: str, method: str, path: str) -> None:
        nonlocal heard
        if when == "before" and "/Soap/m/" in path:
            heard += 1
            if heard == nth:
                raise OrgRejected("INSUFFICIENT_ACCESS", "no", "Listing metadata")

    lab.hook = refuse
    try:
        proof = lab.prove(before)
    except OrgError:
        return
    assert proof.verdict in ("partial", "dirty")
    assert proof.verdict == "dirty" or proof.not_compared


def test_a_field_that_nobody_can_read_any_more_makes_no_clean_proof(lab: Any) -> None:
    """The scope holds no metadata; a field that was empty everywhere is gone: its values cannot be compared."""
    with lab.org.transaction() as db:
        db.execute('UPDATE "Routing__c" SET "Bank__c" = NULL')
    before = lab.capture(objects=("Routing__c",))
    definition = lab.org.object("Routing__c")
    from dataclasses import replace

    lab.org.put_object(replace(definition, fields=tuple(one for one in definition.fields if one.name != "Bank__c")))
    assert lab.prove(before).verdict != "clean"


def test_rows_outside_the_scope_are_not_lost_with_a_created_parent(lab: Any) -> None:
    """Contacts are not in scope; one was moved below a created account, whose deletion would take it along."""
    before = lab.capture(objects=("Account",))
    (created,) = lab.insert("Account", {"Name": "Made by the rehearsal"})
    (contact,) = lab.pick('"Contact" WHERE "AccountId" IS NOT NULL ORDER BY "Id" LIMIT 1')
    lab.update("Contact", {"Id": contact, "AccountId": created})
    proof = lab.reset(before)
    assert lab.value("Contact", contact, "IsDeleted") == 0
    assert proof.verdict == "dirty"


def test_a_grandchild_of_the_baseline_is_not_lost_with_a_created_root(lab: Any) -> None:
    """A visit of the baseline hangs below a created machine, which hangs below nothing else: two levels of cascade."""
    objects = ("Account", "Invoice__c", "InvoiceLine__c")
    before = lab.capture(objects=objects)
    (account,) = lab.insert("Account", {"Name": "Made by the rehearsal"})
    (invoice,) = lab.insert("Invoice__c", {"Account__c": account, "Status__c": "Draft"})
    plan = lab.plan(before)
    (line,) = lab.pick('"InvoiceLine__c" ORDER BY "Id" LIMIT 1')
    with lab.org.transaction() as db:  # this practice relation is not reparentable; a relation of a customer may be
        db.execute('UPDATE "InvoiceLine__c" SET "Invoice__c" = ? WHERE "Id" = ?', (invoice, line))
    proof = lab.prove(before, plan, lab.apply(plan))
    assert lab.value("InvoiceLine__c", line, "IsDeleted") == 0
    assert proof.verdict == "dirty"


def test_a_line_that_somebody_added_below_a_created_invoice_is_kept(lab: Any) -> None:
    """It came after the plan: deleting its master would be a deletion that no plan names."""
    objects = ("Account", "Invoice__c", "InvoiceLine__c")
    before = lab.capture(objects=objects)
    (account,) = lab.pick('"Account" ORDER BY "Id" LIMIT 1')
    (invoice,) = lab.insert("Invoice__c", {"Account__c": account, "Status__c": "Draft"})
    plan = lab.plan(before)
    (line,) = lab.insert("InvoiceLine__c", {"Invoice__c": invoice, "Quantity__c": 1}, by="admin")
    proof = lab.prove(before, plan, lab.apply(plan))
    assert lab.value("InvoiceLine__c", line, "IsDeleted") == 0
    assert proof.verdict == "dirty"


def test_an_edit_that_our_own_automation_then_touched_is_kept(lab: Any) -> None:
    """After the plan somebody edits an account; our write of its invoice then makes us its last modifier."""
    objects = ("Account", "Invoice__c")
    before = lab.capture(objects=objects)
    (invoice,) = lab.pick('"Invoice__c" WHERE "IssuedOn__c" IS NOT NULL ORDER BY "Id" LIMIT 1')
    account = lab.value("Invoice__c", invoice, "Account__c")
    lab.update("Invoice__c", {"Id": invoice, "IssuedOn__c": "2019-01-01"})
    lab.update("Account", {"Id": account, "Fax": "rehearsal"})
    plan = lab.plan(before)
    lab.update("Account", {"Id": account, "Fax": "newer and important"}, by="admin")
    proof = lab.prove(before, plan, lab.apply(plan))
    assert lab.value("Account", account, "Fax") == "newer and important"
    assert {one.key: one.outcome for one in proof.items}[account] == "changed by someone else"


def test_an_edit_of_a_row_outside_the_plan_that_our_automation_touched_is_kept(lab: Any) -> None:
    objects = ("Account", "Invoice__c")
    before = lab.capture(objects=objects)
    (invoice,) = lab.pick('"Invoice__c" WHERE "IssuedOn__c" IS NOT NULL ORDER BY "Id" LIMIT 1')
    account = lab.value("Invoice__c", invoice, "Account__c")
    lab.update("Invoice__c", {"Id": invoice, "IssuedOn__c": "2019-01-01"}, automation=False)
    plan = lab.plan(before)
    assert account not in {one.key for one in plan.actions}
    lab.update("Account", {"Id": account, "Fax": "newer and important"}, by="admin")
    lab.prove(before, plan, lab.apply(plan))
    assert lab.value("Account", account, "Fax") == "newer and important"


def test_lines_that_return_with_their_master_are_deleted_again(lab: Any) -> None:
    """The rehearsal added lines and then deleted the invoice; undeleting it brings them back as well."""
    objects = ("Invoice__c", "InvoiceLine__c")
    before = lab.capture(objects=objects)
    picture = lab.photograph(objects)
    (invoice,) = lab.pick(
        '"Invoice__c" WHERE "Id" NOT IN (SELECT "Invoice__c" FROM "Payment__c" WHERE "Invoice__c" IS NOT NULL)'
        ' AND "LineCount__c" > 1 ORDER BY "Id" LIMIT 1'
    )
    lab.insert("InvoiceLine__c", {"Invoice__c": invoice, "Quantity__c": 1}, {"Invoice__c": invoice, "Quantity__c": 2})
    lab.delete(invoice)
    plan = lab.plan(before)
    assert plan.deletions == 2, "a deletion is named in the plan, so that it can be confirmed"
    proof = lab.prove(before, plan, lab.apply(plan))
    assert lab.photograph(objects).rows == picture.rows
    assert proof.verdict == "clean"


def test_a_row_that_left_a_filter_is_never_inserted(lab: Any) -> None:
    from rehearse.baseline.capture import CaptureRequest, capture
    from rehearse.baseline.model import Scope

    scope = Scope((), (), ("Routing__c",), (), {"Routing__c": "Priority__c > 0"})
    before = capture(lab.writer.reader, CaptureRequest("UATFULL", scope), lab.store)
    (route,) = lab.pick('"Routing__c" WHERE "Priority__c" > 0 ORDER BY "Id" LIMIT 1')
    count = len(lab.pick('"Routing__c" WHERE "IsDeleted" = 0'))
    lab.update("Routing__c", {"Id": route, "Priority__c": -5, "Remark__c": "out"})
    proof = lab.reset(before)
    assert len(lab.pick('"Routing__c" WHERE "IsDeleted" = 0')) == count
    assert lab.value("Routing__c", route, "Priority__c") > 0
    assert proof.verdict == "clean"


def test_rows_that_a_query_did_not_show_are_never_inserted_or_deleted(lab: Any) -> None:
    """For a while the org answers as if the table were empty, as a fault of sharing or of an index would."""
    before = lab.capture(objects=("Routing__c",))
    picture = lab.photograph(("Routing__c",))
    with lab.org.transaction() as db:
        db.execute('CREATE TABLE hidden AS SELECT * FROM "Routing__c"')
        db.execute('DELETE FROM "Routing__c"')
    plan = lab.plan(before)
    with lab.org.transaction() as db:
        db.execute('INSERT INTO "Routing__c" SELECT * FROM hidden')
    lab.prove(before, plan, lab.apply(plan))
    assert lab.photograph(("Routing__c",)).rows == picture.rows
    assert lab.prove(before).verdict == "clean"


def test_what_was_added_and_deleted_outside_the_scope_is_named(lab: Any) -> None:
    """A row that was deleted is a change too; one that was made and deleted again is none."""
    before = lab.capture(objects=("Routing__c",), types=("PermissionSet",))
    lab.deploy(LEFT)
    lab.deploy({"objects/Routing__c.object": RULE})
    lab.delete(*lab.pick('"Machine__c" ORDER BY "Id" LIMIT 2'), *lab.insert("Machine__c", {"Name": "for a moment"}))
    proof = lab.prove(before)
    assert proof.verdict == "clean"
    assert proof.outside_scope.get("ApexClass") == 1
    assert proof.outside_scope.get("ValidationRule") == 1, "a part of an object leaves no date on the object"
    assert proof.outside_scope.get("Machine__c") == 2


def test_what_metadata_covers_is_not_outside_and_people_have_names(lab: Any) -> None:
    before = lab.capture(objects=("Routing__c",), types=("ApexClass", "ApexTrigger", "Profile", "PermissionSet"))
    (route,) = lab.pick('"Routing__c" ORDER BY "Id" LIMIT 1')
    lab.update("Routing__c", {"Id": route, "Remark__c": "somebody"}, by="admin")
    lab.deploy(LEFT)
    proof = lab.prove(before)
    assert not {"ApexClass", "Profile", "PermissionSet", "LoginHistory", "SetupAuditTrail"} & proof.outside_scope.keys()
    (item,) = [one for one in proof.items if one.key == route]
    first, last = (lab.value("User", lab.user("admin"), name) for name in ("FirstName", "LastName"))
    assert item.by == f"{first} {last}"


def test_a_star_means_data_and_says_what_it_leaves_out(lab: Any) -> None:
    before = lab.capture(objects=("*",))
    held = {one.name for one in before.scope.objects}
    assert {"Account", "Routing__c", "User"} <= held
    assert not held & {"ApexClass", "Profile", "PermissionSet", "SetupAuditTrail", "AsyncApexJob", "RecordType"}
    said = {one.name: one.note for one in before.coverage if one.state == "excluded"}
    assert "metadata" in said["ApexClass"]
    assert "log" in said["AsyncApexJob"]
    assert before.verdict == "usable" or before.hollow


def test_a_row_that_came_into_a_filter_is_never_deleted(lab: Any) -> None:
    """It lived all the time; the baseline only looked elsewhere."""
    from rehearse.baseline.capture import CaptureRequest, capture
    from rehearse.baseline.model import Scope

    (route,) = lab.pick('"Routing__c" WHERE "Priority__c" > 0 ORDER BY "Id" LIMIT 1')
    lab.update("Routing__c", {"Id": route, "Priority__c": -5})
    with lab.org.transaction() as db:
        db.execute('UPDATE "Routing__c" SET "CreatedDate" = ? WHERE "Id" = ?', ("2020-01-01T00:00:00.000Z", route))
    scope = Scope((), (), ("Routing__c",), (), {"Routing__c": "Priority__c > 0"})
    before = capture(lab.writer.reader, CaptureRequest("UATFULL", scope), lab.store)
    lab.update("Routing__c", {"Id": route, "Priority__c": 5})
    proof = lab.reset(before)
    assert lab.value("Routing__c", route, "IsDeleted") == 0
    assert (proof.verdict, [one.outcome for one in proof.items]) == ("dirty", ["manual"])


def test_a_row_that_the_baseline_could_not_see_is_never_deleted(lab: Any) -> None:
    (route,) = lab.pick('"Routing__c" ORDER BY "Id" LIMIT 1')
    with lab.org.transaction() as db:
        db.execute('CREATE TABLE hidden AS SELECT * FROM "Routing__c" WHERE "Id" = ?', (route,))
        db.execute('DELETE FROM "Routing__c" WHERE "Id" = ?', (route,))
    before = lab.capture(objects=("Routing__c",))
    with lab.org.transaction() as db:
        db.execute('INSERT INTO "Routing__c" SELECT * FROM hidden')
    proof = lab.reset(before)
    assert lab.value("Routing__c", route, "IsDeleted") == 0
    assert proof.verdict == "dirty"


@pytest.mark.parametrize("type", ("ApexClass", "ApexTrigger", "PermissionSet"))
def test_what_the_baseline_could_not_list_is_never_destroyed(
    lab: Any, type: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list of a type was refused when the baseline was taken: everything of it looks new afterwards."""
    from rehearse.errors import OrgRejected
    from rehearse.org.reader import OrgReader

    def refusing(real: Any) -> Any:
        def ask(reader: OrgReader, asked: Any, *more: Any) -> Any:
            if asked == type or (not isinstance(asked, str) and type in asked):
                raise OrgRejected("INSUFFICIENT_ACCESS", "no", "Listing metadata")
            return real(reader, asked, *more)

        return ask

    with monkeypatch.context() as patch:
        for name in ("fetch_metadata_items", "fetch_metadata_lists"):
            patch.setattr(OrgReader, name, refusing(getattr(OrgReader, name)))
        before = lab.capture(objects=(), types=("ApexClass", "ApexTrigger", "PermissionSet"))
    assert [one.do for one in lab.plan(before).actions] == []
    assert lab.prove(before).verdict != "clean"


def test_what_is_written_while_a_proof_is_made_is_seen(lab: Any) -> None:
    """Its capture is over, and it still counts what changed outside: then somebody edits a row."""
    before = lab.capture(objects=("Routing__c",), types=("ApexClass",))
    (route,) = lab.pick('"Routing__c" ORDER BY "Id" LIMIT 1')

    lists = 0

    def interfere(when: str, method: str, path: str) -> None:
        nonlocal lists
        lists += when == "after" and path.endswith("/sobjects")  # a capture asks once, what counts outside it again
        if lists == 2:
            lab.hook = None
            lab.update("Routing__c", {"Id": route, "Remark__c": "during the proof"}, by="admin")

    lab.hook = interfere
    proof = lab.prove(before)
    assert (proof.verdict, [one.key for one in proof.items]) == ("dirty", [route])


def test_an_org_that_never_stands_still_is_not_called_clean(lab: Any) -> None:
    """A row is another one whenever nobody looks, and as in the baseline whenever a capture reads it."""
    before = lab.capture(objects=("Routing__c",))
    (route,) = lab.pick('"Routing__c" ORDER BY "Id" LIMIT 1')
    remark = lab.value("Routing__c", route, "Remark__c")
    lists = 0

    def interfere(when: str, method: str, path: str) -> None:
        nonlocal lists
        lists += when == "after" and path.endswith("/sobjects")  # a capture asks once, what counts outside it again
        counting = when == "after" and path.endswith("/sobjects") and lists % 2 == 0
        if counting or (when == "before" and "/Soap/u/" in path):
            text = "meanwhile" if counting else remark
            lab.update("Routing__c", {"Id": route, "Remark__c": text}, by="admin")

    lab.hook = interfere
    proof = lab.prove(before)
    lab.hook = None
    assert lab.value("Routing__c", route, "Remark__c") == "meanwhile"
    assert proof.verdict == "partial"
    assert "records Routing__c: 1 row(s) were written while the proof was made" in proof.not_compared
