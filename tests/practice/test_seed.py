"""The seeded world: the same for a seed, whole in every relation, full of hard values, and with a believable past."""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from rehearse.practice import rows, sandboxes, seed
from rehearse.practice.estate import Estate
from rehearse.practice.http_errors import ApiError
from rehearse.practice.org_state import OrgState
from rehearse.practice.rows_values import stored_value
from rehearse.practice.schema import ObjectDef
from rehearse.practice.seed_records import PLAN
from rehearse.practice.seed_words import TRICKY
from rehearse.practice.soql_run import run_query
from rehearse.practice.virtual_clock import START

OBJECTS = [name for name, _, _ in PLAN]


@pytest.fixture
def production(seeded_estate: Estate) -> Iterator[OrgState]:
    yield seeded_estate.production


def load_all(org: OrgState, definition: ObjectDef) -> list[dict[str, object]]:
    names = [field.name for field in definition.stored_fields]
    columns = ", ".join(f'"{name}"' for name in names)
    found = org.db.execute(f'SELECT {columns} FROM "{definition.name}" ORDER BY "Id"')
    return [dict(zip(names, row, strict=True)) for row in found]


def dump(path: Path) -> list[str]:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        lines = list(db.iterdump())
    db.close()
    return lines


def test_the_same_seed_gives_the_same_orgs_and_another_seed_does_not(tmp_path: Path, seeded_estate: Estate) -> None:
    again = seed.build(tmp_path / "again", 1)
    try:
        pairs = list(zip(seeded_estate.orgs(), again.orgs(), strict=True))
        assert len(pairs) == 6
        for ours, theirs in pairs:
            assert dump(ours.path) == dump(theirs.path)
        for kind in ("SandboxInfo", "SandboxProcess"):
            assert sandboxes.query_rows(seeded_estate, kind) == sandboxes.query_rows(again, kind)
    finally:
        again.close()
    other = seed.build(tmp_path / "other", 2, records=300)
    try:
        assert load_all(other.production, other.production.object("Account")) != load_all(
            seeded_estate.production, seeded_estate.production.object("Account")
        )
    finally:
        other.close()


def test_there_are_three_thousand_records_of_many_objects(production: OrgState) -> None:
    counts = {name: production.db.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in OBJECTS}
    assert all(counts.values())
    assert len(counts) >= 15
    assert 2800 <= sum(counts.values()) <= 3400
    users = production.db.execute('SELECT count(*) FROM "User"').fetchone()[0]
    assert 8 <= users <= 10


def test_the_number_of_records_can_be_chosen(tmp_path: Path) -> None:
    world = Estate.create(tmp_path / "small", 1)
    try:
        seed.build_production(world.production, 1, records=6000)
        count = world.production.db.execute('SELECT count(*) FROM "InvoiceLine__c"').fetchone()[0]
        assert count == 6000 * 190 // 1000
    finally:
        world.close()


def test_every_reference_names_a_row_that_is_there(production: OrgState) -> None:
    tables = production.objects()
    known = {
        name: {row[0] for row in production.db.execute(f'SELECT "Id" FROM "{name}"')}
        for name in tables
        if name not in ("AsyncApexJob", "CronTrigger")
    }
    checked: Counter[str] = Counter()
    for name in [*OBJECTS, "User", "GroupMember", "PermissionSetAssignment"]:
        definition = tables[name]
        for field in definition.fields:
            if field.type != "reference" or not field.stored:
                continue
            targets = set().union(*(known.get(one, set()) for one in field.reference_to))
            for row in load_all(production, definition):
                value = row[field.name]
                if value is not None:
                    assert value in targets, f"{name}.{field.name}"
                    checked[f"{name}.{field.name}"] += 1
                else:
                    assert not field.required and not field.is_master, f"{name}.{field.name}"
    for path in ("Account.ParentId", "Project__c.Parent__c", "Task.WhoId", "Task.WhatId", "Payment__c.RefundOf__c"):
        assert checked[path] > 5
    assert checked["ProjectMember__c.Project__c"] == checked["ProjectMember__c.Contact__c"] > 80


def test_polymorphic_references_point_at_several_objects(production: OrgState) -> None:
    def prefixes(name: str, column: str) -> set[str]:
        found = production.db.execute(f'SELECT DISTINCT substr("{column}", 1, 3) FROM "{name}"')
        return {row[0] for row in found if row[0]}

    assert prefixes("Task", "WhoId") == {"003", "00Q"}
    assert prefixes("Task", "WhatId") == {"001", "006", "500"}
    assert prefixes("Case", "OwnerId") == {"005", "00G"}
    assert prefixes("Lead", "OwnerId") == {"005", "00G"}


def test_every_value_is_one_that_a_save_would_leave_as_it_is(production: OrgState) -> None:
    for name in OBJECTS:
        definition = production.object(name)
        fields = [field for field in definition.fields if field.writable and field.type != "reference"]
        for row in load_all(production, definition):
            for field in fields:
                value = row[field.name]
                assert stored_value(field, value) == value, f"{name}.{field.name}"


def test_every_row_may_be_saved_again_under_every_rule(production: OrgState) -> None:
    admin = production.db.execute('SELECT "Id" FROM "User" WHERE "Alias" = \'admin\'').fetchone()[0]
    for name in OBJECTS:
        definition = production.object(name)
        writable = [f.name for f in definition.fields if f.writable and f.updateable and not f.is_master]
        before = load_all(production, definition)
        sent = [{"Id": row["Id"], **{one: row[one] for one in writable}} for row in before]
        saved = rows.update(production, admin, name, sent, automation=False)
        assert [one.errors for one in saved if not one.success] == [], name
        after = load_all(production, definition)
        same = [{one: row[one] for one in writable} for row in before]
        assert [{one: row[one] for one in writable} for row in after] == same, name


def test_every_row_is_read_back_as_it_was_loaded(production: OrgState) -> None:
    for name in ("Account", "Case", "Project__c", "InvoiceLine__c", "Payment__c"):
        definition = production.object(name)
        names = [f.name for f in definition.stored_fields if f.type in ("string", "textarea", "date", "reference")]
        names = [one for one in names if not definition.find(one).encrypted]  # type: ignore[union-attr]
        result = run_query(production, f"SELECT {', '.join(names)} FROM {name} ORDER BY Id")
        read = [{one: row[one] for one in names} for row in result.rows]
        assert read == [{one: row[one] for one in names} for row in load_all(production, definition)], name


def test_the_hard_values_are_there(production: OrgState) -> None:
    texts: set[str] = set()
    nulls: set[str] = set()
    for name in OBJECTS:
        for row in load_all(production, production.object(name)):
            texts |= {value for value in row.values() if isinstance(value, str)}
            nulls |= {f"{name}.{key}" for key, value in row.items() if value is None}
    assert set(TRICKY) <= texts
    assert {30_000, 131_072} <= {len(text) for text in texts}
    assert any("\r\n" in text for text in texts) and any("\u2028" in text for text in texts)
    assert len(nulls) > 60
    numbers = {row["Factor__c"] for row in load_all(production, production.object("Project__c"))}
    assert {1e-8, -1e-8, 0, 9_999_999_999.99999, None} <= numbers


def test_roll_ups_say_what_the_details_say(production: OrgState) -> None:
    lines = production.db.execute(
        'SELECT i."Total__c", i."LineCount__c", coalesce(sum(l."Amount__c"), 0), count(l."Id") FROM "Invoice__c" AS i'
        ' LEFT JOIN "InvoiceLine__c" AS l ON l."Invoice__c" = i."Id" GROUP BY i."Id"'
    ).fetchall()
    assert len(lines) > 200
    for total, count, summed, counted in lines:
        assert (total, count) == (pytest.approx(summed), counted)
    accounts = production.db.execute('SELECT sum("Invoiced__c"), sum("InvoiceCount__c") FROM "Account"').fetchone()
    assert accounts == (pytest.approx(sum(row[0] for row in lines)), len(lines))


def test_all_stamps_are_in_the_past_and_in_order(production: OrgState) -> None:
    start = START.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    for name in OBJECTS:
        for row in load_all(production, production.object(name)):
            created, changed, touched = (str(row[one]) for one in ("CreatedDate", "LastModifiedDate", "SystemModstamp"))
            assert created <= changed <= touched < start


def test_each_sandbox_has_a_past_and_its_own_next_date(seeded_estate: Estate) -> None:
    processes = Counter(row["SandboxName"] for row in sandboxes.query_rows(seeded_estate, "SandboxProcess"))
    assert set(processes) == {"UATFULL", "PERFFULL", "SIT1", "DEV1", "DEV2"}
    assert all(count >= 3 for count in processes.values())
    ids = {row["SandboxName"]: row["Id"] for row in sandboxes.query_rows(seeded_estate, "SandboxInfo")}
    user_id = seeded_estate.production.db.execute('SELECT "Id" FROM "User" ORDER BY "Id"').fetchone()[0]
    for name, licence in (("UATFULL", "FULL"), ("DEV2", "DEVELOPER")):
        with pytest.raises(ApiError, match="INVALID_OPERATION"):
            sandboxes.refresh(seeded_estate, ids[name], {"LicenseType": licence}, user_id)
    sandboxes.refresh(seeded_estate, ids["PERFFULL"], {"LicenseType": "FULL"}, user_id)
    newest = sandboxes.query_rows(seeded_estate, "SandboxProcess")[0]
    assert (newest["SandboxName"], newest["Status"]) == ("PERFFULL", "Pending")


def test_sandbox_1_2_uatfull_may_be_refreshed_29_days_after_its_request(seeded_estate: Estate) -> None:
    (info,) = (one for one in sandboxes.query_rows(seeded_estate, "SandboxInfo") if one["SandboxName"] == "UATFULL")
    user_id = seeded_estate.production.db.execute('SELECT "Id" FROM "User" ORDER BY "Id"').fetchone()[0]
    seeded_estate.clock.set(START + timedelta(days=11, minutes=-1))
    with pytest.raises(ApiError):
        sandboxes.refresh(seeded_estate, info["Id"], {"LicenseType": "FULL"}, user_id)
    seeded_estate.clock.move(timedelta(minutes=1))
    sandboxes.refresh(seeded_estate, info["Id"], {"LicenseType": "FULL"}, user_id)


def test_a_folder_with_an_estate_is_refused(seeded_estate: Estate) -> None:
    with pytest.raises(FileExistsError):
        seed.build(seeded_estate.folder, 1)
