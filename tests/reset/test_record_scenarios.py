"""Every kind of record change, undone in a practice sandbox, judged by the practice org's own database."""

import os
from typing import Any

import pytest

LONG = os.environ.get("REHEARSE_TEST") == "all"
BILLING = ("Account", "Contact", "Invoice__c", "InvoiceLine__c", "Payment__c", "Project__c", "ProjectMember__c")
UNPAID = '"Id" NOT IN (SELECT "Invoice__c" FROM "Payment__c" WHERE "Invoice__c" IS NOT NULL)'
TABLES = ("Routing__c", "Machine__c", "ServiceVisit__c", "Invoice__c", "InvoiceLine__c")


def outcomes(proof: Any) -> dict[str, str]:
    return {one.key: one.outcome for one in proof.items}


def test_nothing_to_undo_is_clean_and_writes_nothing(lab: Any) -> None:
    before = lab.capture(objects=TABLES)
    calls: list[str] = []
    lab.hook = lambda when, method, path: (
        calls.append(method) if method != "GET" and ("sobjects" in path or "ingest" in path) else None
    )
    proof = lab.reset(before)
    assert (proof.verdict, proof.items, calls) == ("clean", (), [])


def test_created_rows_go_children_first(lab: Any) -> None:
    before = lab.capture(objects=BILLING)
    picture = lab.photograph(BILLING)
    (account,) = lab.insert("Account", {"Name": "New Quay Ltd"})
    (invoice,) = lab.insert("Invoice__c", {"Account__c": account, "Status__c": "Draft"})
    lab.insert("InvoiceLine__c", *({"Invoice__c": invoice, "Quantity__c": n} for n in (1, 2, 3)))
    proof = lab.reset(before)
    assert lab.photograph(BILLING).rows == picture.rows
    assert proof.verdict == "clean"
    assert set(outcomes(proof).values()) == {"restored"}


def test_updates_to_and_from_null_and_awkward_text(lab: Any) -> None:
    before = lab.capture(objects=("Routing__c", "Project__c"))
    picture = lab.photograph(("Routing__c", "Project__c"))
    first, second = lab.pick('"Routing__c" WHERE "Remark__c" IS NOT NULL ORDER BY "Id" LIMIT 2')
    lab.update("Routing__c", {"Id": first, "Remark__c": None, "Priority__c": 77.5, "Active__c": False})
    lab.update("Routing__c", {"Id": second, "Remark__c": 'a "quoted", line\r\nand 🚧 more', "Bank__c": None})
    for project in lab.pick('"Project__c" ORDER BY "Id" LIMIT 40'):
        lab.update(
            "Project__c", {"Id": project, "Skills__c": None, "KickOff__c": None, "Story__c": "x", "Budget__c": 1}
        )
    proof = lab.reset(before)
    assert lab.photograph(("Routing__c", "Project__c")).rows == picture.rows
    assert proof.verdict == "clean"


def test_what_was_deleted_comes_back_with_its_ids_and_its_old_values(lab: Any) -> None:
    """Masters with their details, also those that the rehearsal gave lines, which go again; rows changed before."""
    before = lab.capture(objects=TABLES)
    picture = lab.photograph(TABLES)
    *invoices, extended = lab.pick(f'"Invoice__c" WHERE {UNPAID} AND "LineCount__c" > 2 ORDER BY "Id" LIMIT 4')
    lab.insert("InvoiceLine__c", *({"Invoice__c": extended, "Quantity__c": n} for n in (9, 8)))
    machines = lab.pick('"Machine__c" WHERE "Id" IN (SELECT "Machine__c" FROM "ServiceVisit__c") ORDER BY "Id" LIMIT 2')
    routes = lab.pick('"Routing__c" ORDER BY "Id" LIMIT 2')
    lab.update("Routing__c", {"Id": routes[0], "Bank__c": "Changed", "Remark__c": None})
    lab.delete(*invoices, extended, *machines, *routes)
    proof = lab.reset(before)
    assert differences(lab.photograph(TABLES).rows, picture.rows) == {}
    assert proof.verdict == "clean"


def test_unique_values_swap_back_and_are_freed_by_created_rows_first(lab: Any) -> None:
    before = lab.capture(objects=("Routing__c",))
    picture = lab.photograph(("Routing__c",))
    one, two, old, other = lab.pick('"Routing__c" WHERE "Code__c" IS NOT NULL ORDER BY "Id" LIMIT 4')
    code1, code2, code3, code4 = (lab.value("Routing__c", id, "Code__c") for id in (one, two, old, other))
    lab.update("Routing__c", {"Id": one, "Code__c": "for a moment"})
    lab.update("Routing__c", {"Id": two, "Code__c": code1})
    lab.update("Routing__c", {"Id": one, "Code__c": code2})
    lab.delete(old, hard=True)
    lab.update("Routing__c", {"Id": other, "Code__c": "elsewhere"})
    lab.insert("Routing__c", {"Code__c": code3}, {"Code__c": code4})
    proof = lab.reset(before)
    after = mapped_back(lab.photograph(("Routing__c",)).rows, lab.ids.load())
    assert differences(without_numbers(after), without_numbers(picture.rows)) == {}
    assert {key for key, outcome in outcomes(proof).items() if outcome == "residue"} == {old}
    assert proof.verdict == "clean-with-residue"


def test_a_detail_deleted_before_its_master_comes_back_under_a_new_id(lab: Any) -> None:
    before = lab.capture(objects=TABLES)
    (invoice,) = lab.pick(f'"Invoice__c" WHERE {UNPAID} AND "LineCount__c" > 2 ORDER BY "Id" LIMIT 1')
    line = lab.pick('"InvoiceLine__c" WHERE "Invoice__c" = ? ORDER BY "Id"', invoice)[0]
    lab.delete(line)
    lab.delete(invoice)
    proof = lab.reset(before)
    new = lab.ids.load()[line]
    assert proof.verdict == "clean-with-residue"
    assert outcomes(proof)[line] == "residue"
    assert any(line in one.detail and new in one.detail for one in proof.items)
    assert lab.value("InvoiceLine__c", new, "Invoice__c") == invoice


def test_hard_deleted_parents_and_children_are_linked_to_each_other_again(lab: Any) -> None:
    objects = ("Project__c", "ProjectMember__c", "Contact", "Account", "Machine__c")
    before = lab.capture(objects=objects)
    picture = lab.photograph(objects)
    (project,) = lab.pick('"Project__c" WHERE "MemberCount__c" > 1 ORDER BY "Id" LIMIT 1')
    members = lab.pick('"ProjectMember__c" WHERE "Project__c" = ?', project)
    lab.delete(*members, project, hard=True)
    proof = lab.reset(before)
    ids = lab.ids.load()
    assert set(ids) >= {project, *members}
    assert any("GateCode__c" in one.detail for one in proof.items if one.key == project), "a masked value is lost"
    after = mapped_back(lab.photograph(objects).rows, ids)
    assert differences(without_numbers(after), without_numbers(picture.rows)) == {}
    assert proof.verdict == "clean-with-residue"


def test_a_cycle_of_lookups_is_closed_by_a_second_write(lab: Any) -> None:
    first, second, third = lab.pick('"Payment__c" WHERE "Amount__c" < 0 ORDER BY "Id" LIMIT 3')
    lab.update("Payment__c", {"Id": first, "RefundOf__c": second}, automation=False)
    lab.update(
        "Payment__c", {"Id": second, "RefundOf__c": first}, {"Id": third, "RefundOf__c": third}, automation=False
    )
    before = lab.capture(objects=("Payment__c",))
    picture = lab.photograph(("Payment__c",))
    lab.delete(first, second, third, hard=True)
    proof = lab.reset(before, ask_more=lambda rows: True)
    ids = lab.ids.load()
    after = mapped_back(lab.photograph(("Payment__c",)).rows, ids)
    assert differences(without_numbers(after), without_numbers(picture.rows)) == {}
    assert proof.verdict == "clean-with-residue"


def test_kept_rows_are_detached_from_created_ones(lab: Any) -> None:
    objects = ("Account", "Project__c", "Machine__c")
    before = lab.capture(objects=objects)
    picture = lab.photograph(objects)
    (parent,) = lab.insert("Project__c", {"Name": "Umbrella"})
    kept = lab.pick('"Project__c" WHERE "Name" <> ? ORDER BY "Id" LIMIT 4', "Umbrella")
    for one in kept:
        lab.update("Project__c", {"Id": one, "Parent__c": parent}, automation=False)
    assert lab.reset(before).verdict == "clean"
    assert lab.photograph(objects).rows == picture.rows


@pytest.mark.parametrize("hard", [False, True] if LONG else [False])
def test_rows_that_lost_a_lookup_get_it_back(lab: Any, hard: bool) -> None:
    objects = ("Project__c", "ProjectMember__c", "Machine__c", "Account")
    before = lab.capture(objects=objects)
    picture = lab.photograph(objects)
    (project,) = lab.pick('"Project__c" WHERE "Id" IN (SELECT "Project__c" FROM "Machine__c") ORDER BY "Id" LIMIT 1')
    lab.delete(project, hard=hard)
    proof = lab.reset(before)
    after = mapped_back(lab.photograph(objects).rows, lab.ids.load())
    assert differences(without_numbers(after), without_numbers(picture.rows)) == {}
    assert proof.verdict == ("clean-with-residue" if hard else "clean")


@pytest.mark.parametrize("had_one", [False, True] if LONG else [True])
def test_a_lookup_that_an_undelete_brings_back_is_put_right(lab: Any, had_one: bool) -> None:
    """The platform restores lookups to an undeleted row by itself, without a stamp: also ones of the rehearsal."""
    objects = ("Project__c", "ProjectMember__c", "Machine__c")
    before = lab.capture(objects=objects)
    picture = lab.photograph(objects)
    word = "NOT NULL" if had_one else "NULL"
    (machine,) = lab.pick(f'"Machine__c" WHERE "Project__c" IS {word} ORDER BY "Id" LIMIT 1')
    old = lab.value("Machine__c", machine, "Project__c")
    (project,) = lab.pick('"Project__c" WHERE "Id" <> ? ORDER BY "Id" LIMIT 1', old or "")
    lab.update("Machine__c", {"Id": machine, "Project__c": project}, automation=False)
    lab.delete(project)
    proof = lab.reset(before)
    assert differences(lab.photograph(objects).rows, picture.rows) == {}
    assert proof.verdict == "clean"


def test_a_second_reset_of_the_same_baseline_maps_the_new_ids(lab: Any) -> None:
    before = lab.capture(objects=("Routing__c",))
    picture = lab.photograph(("Routing__c",))
    (route,) = lab.pick('"Routing__c" ORDER BY "Id" LIMIT 1')
    lab.delete(route, hard=True)
    lab.reset(before)
    first = lab.ids.load()[route]
    between = lab.capture(objects=("Routing__c",))
    lab.delete(first, hard=True)
    proof = lab.reset(before)
    second = lab.ids.load()[route]
    assert second not in (route, first)
    after = mapped_back(lab.photograph(("Routing__c",)).rows, {route: second})
    assert differences(without_numbers(after), without_numbers(picture.rows)) == {}
    assert proof.verdict == "clean-with-residue"
    # the baseline between the two knows the row by its first new Id: it is there, and nothing is deleted or inserted
    assert [(one.do, one.key) for one in lab.plan(between).actions] == []
    assert [(one.key, one.outcome) for one in lab.prove(between).items] == [(first, "residue")]


def mapped_back(rows: dict[str, dict[str, Any]], ids: dict[str, str]) -> dict[str, dict[str, Any]]:
    back = {new: old for old, new in ids.items()}
    return {
        object: {
            back.get(id, id): {
                name: back.get(value, value) if isinstance(value, str) else value for name, value in row.items()
            }
            for id, row in found.items()
        }
        for object, found in rows.items()
    }


def without_numbers(rows: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Without what no insert can set: auto-numbers, masked values, who created a row and when."""
    gone = ("CreatedDate", "CreatedById", "Name", "Number__c", "GateCode__c", "CardTail__c")
    return {
        object: {id: {name: value for name, value in row.items() if name not in gone} for id, row in found.items()}
        for object, found in rows.items()
    }


def differences(left: dict[str, dict[str, Any]], right: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Only what differs, so that a failure can be read."""
    return {
        f"{object} {id} {name}": (one.get(id, {}).get(name), other.get(id, {}).get(name))
        for object, one in left.items()
        for other in [right[object]]
        for id in {*one, *other}
        for name in {*one.get(id, {}), *other.get(id, {})}
        if one.get(id, {}).get(name) != other.get(id, {}).get(name)
    }


def test_a_case_and_a_task_that_were_reopened_are_closed_again_with_a_new_stamp(lab: Any) -> None:
    (case,) = lab.pick('"Case" WHERE "Status" = \'Closed\' AND "ClosedDate" IS NOT NULL ORDER BY "Id" LIMIT 1')
    (task,) = lab.pick(
        '"Task" WHERE "Status" = \'Completed\' AND "CompletedDateTime" IS NOT NULL ORDER BY "Id" LIMIT 1'
    )
    (twice,) = lab.pick('"Case" WHERE "Status" = \'Closed\' AND "Id" <> ? ORDER BY "Id" LIMIT 1', case)
    before = lab.capture(objects=("Case", "Task"))
    closed = lab.value("Case", case, "ClosedDate")
    lab.update("Case", {"Id": case, "Status": "Working", "Subject": "reopened"}, {"Id": twice, "Status": "Working"})
    lab.update("Case", {"Id": twice, "Status": "Closed"})  # nothing but its stamp tells
    lab.update("Task", {"Id": task, "Status": "In Progress"})
    plan = lab.plan(before)
    assert {one.key: one.grade for one in plan.actions} == {case: "residue", task: "residue"}
    assert {one.key: one.grade for one in plan.blocked} == {twice: "residue"}
    proof = lab.prove(before, plan, lab.apply(plan))
    assert lab.value("Case", case, "Status") == "Closed" and lab.value("Case", case, "ClosedDate") != closed
    assert {one.key: one.outcome for one in proof.items} == dict.fromkeys((case, task, twice), "residue")
    assert proof.verdict == "clean-with-residue"


def test_a_row_whose_name_means_null_to_bulk_is_inserted_by_itself(lab: Any) -> None:
    """A spreadsheet writes #N/A into names; Bulk takes that for null, and a name is required."""
    names = ("#N/A", "#n/a", "Plain")
    ids = lab.insert("Account", *({"Name": one, "Industry": "Shipping"} for one in names))
    before = lab.capture(objects=("Account",))
    lab.delete(*ids, hard=True)
    proof = lab.reset(before)
    pairs = lab.ids.load()
    assert [lab.value("Account", pairs[one], "Name") for one in ids] == [*names]
    assert {lab.value("Account", pairs[one], "Industry") for one in ids} == {"Shipping"}
    assert (proof.verdict, proof.counts) == ("clean-with-residue", {"residue": 3})
