"""Details that were moved and went into the bin with their new master, or before it: they come back, by the tables."""

from datetime import timedelta
from typing import Any

import pytest

from rehearse.practice import admin
from rehearse.reset.model import Choices

OBJECTS = ("Invoice__c", "InvoiceLine__c")
MOVABLE = """<?xml version="1.0" encoding="UTF-8"?>
<CustomObject xmlns="http://soap.sforce.com/2006/04/metadata"><fields>
<fullName>Invoice__c</fullName><label>Invoice</label><type>MasterDetail</type><referenceTo>Invoice__c</referenceTo>
<relationshipName>Lines</relationshipName><relationshipOrder>0</relationshipOrder>
<reparentableMasterDetail>true</reparentableMasterDetail><writeRequiresMasterRead>false</writeRequiresMasterRead>
</fields></CustomObject>"""
FREE = '"Id" NOT IN (SELECT "Invoice__c" FROM "Payment__c" WHERE "Invoice__c" IS NOT NULL) AND "Status__c" = \'Draft\''


@pytest.fixture(scope="module")
def lab(still_lab: Any) -> Any:
    """One lab in which lines may move from invoice to invoice."""
    still_lab.deploy({"objects/InvoiceLine__c.object": MOVABLE})
    assert still_lab.org.object("InvoiceLine__c").find("Invoice__c").updateable
    return still_lab


def invoices(lab: Any, count: int) -> list[str]:
    """New drafts below one account."""
    account = lab.pick('"Account" ORDER BY "Id" LIMIT 1')[0]
    found: list[str] = lab.insert("Invoice__c", *[{"Account__c": account, "Status__c": "Draft"}] * count)
    return found


def lines(lab: Any, invoice: str, count: int) -> list[str]:
    found: list[str] = lab.insert("InvoiceLine__c", *[{"Invoice__c": invoice, "Quantity__c": 2}] * count)
    return found


def told(plan: Any) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for one in plan.actions:
        found.setdefault(one.key, []).append((one.do, one.grade))
    return found


def test_a_master_of_the_rehearsal_comes_back_for_the_details_that_went_with_it_and_goes_again(lab: Any) -> None:
    """No org undeletes a detail below a master in the bin: the two lines were lost for good."""
    (old,) = invoices(lab, 1)
    first, second = lines(lab, old, 2)
    before, kept = lab.capture(objects=OBJECTS), lab.photograph(OBJECTS)
    (new,) = invoices(lab, 1)
    ghosts = lines(lab, new, 1)
    lab.update("InvoiceLine__c", {"Id": first, "Invoice__c": new}, {"Id": second, "Invoice__c": new})
    lab.delete(new)
    plan = lab.plan(before)
    assert told(plan) == {
        **dict.fromkeys((first, second), [("undelete", "exact")]),
        new: [("undelete", "exact"), ("delete", "exact")],
        **dict.fromkeys(ghosts, [("delete", "exact")]),
    }
    proof = lab.prove(before, plan, lab.apply(plan))
    assert proof.verdict == "clean" and set(proof.counts) == {"restored"}
    assert lab.photograph(OBJECTS).rows == kept.rows
    assert [lab.value("Invoice__c", new, "IsDeleted"), lab.value("InvoiceLine__c", ghosts[0], "IsDeleted")] == [1, 1]


def test_a_master_that_is_gone_for_good_has_its_details_inserted_again_below_the_old_one(lab: Any) -> None:
    lab.server.estate.settings.put("ghost_hours", 24)  # what was deleted for good still looks as if it were in the bin
    (old,) = invoices(lab, 1)
    (line,) = lines(lab, old, 1)
    before = lab.capture(objects=OBJECTS)
    (new,) = invoices(lab, 1)
    lab.update("InvoiceLine__c", {"Id": line, "Invoice__c": new})
    lab.delete(new, hard=True)
    proof = lab.reset(before)
    again = lab.ids.load()[line]
    assert lab.value("InvoiceLine__c", again, "Invoice__c") == old
    assert proof.verdict == "clean-with-residue" and "failed" not in proof.counts


def test_a_detail_that_was_deleted_before_its_master_is_promised_as_it_comes_back(lab: Any) -> None:
    """The bin still shows it, for a day; the stamps of both deletions tell that nothing brings it back."""
    (old,) = invoices(lab, 1)
    earlier, along = lines(lab, old, 2)
    before = lab.capture(objects=OBJECTS)
    lab.delete(earlier)
    admin.move_clock(lab.server.estate, timedelta(minutes=5))
    lab.delete(old)
    plan = lab.plan(before)
    assert told(plan) == {
        earlier: [("undelete", "residue")], along: [("undelete", "exact")], old: [("undelete", "exact")],
    }  # fmt: skip
    proof = lab.prove(before, plan, lab.apply(plan))
    assert proof.counts == {"residue": 1, "restored": 2}


def test_a_detail_below_a_row_that_is_left_out_is_inserted_again(lab: Any) -> None:
    """It could come back only along with what somebody chose to leave where it is."""
    old, other = invoices(lab, 2)
    (line,) = lines(lab, old, 1)
    before = lab.capture(objects=OBJECTS)
    lab.update("InvoiceLine__c", {"Id": line, "Invoice__c": other})
    lab.delete(other)
    plan = lab.plan(before, Choices(left_out=frozenset([other])))
    assert told(plan) == {line: [("insert", "residue")]}
    lab.apply(plan)
    assert lab.value("InvoiceLine__c", lab.ids.load()[line], "Invoice__c") == old
    assert lab.value("Invoice__c", other, "IsDeleted") == 1
