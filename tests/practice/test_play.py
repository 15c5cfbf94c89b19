"""The rehearsal that goes wrong: held over the wire, repeatable, of every kind of change, and only in a sandbox."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from rehearse.practice import play
from rehearse.practice.estate import Estate
from rehearse.practice.org_state import OrgState
from rehearse.practice.play import Step
from rehearse.practice.play_client import Caller, PlayFailed, Seat
from rehearse.practice.play_package import build_package
from rehearse.practice.server import PracticeServer

COUNTED = ("Account", "Contact", "Project__c", "ProjectMember__c", "Machine__c", "ServiceVisit__c", "Task")


def hold(estate_folder: Path, *, hard: bool = False) -> tuple[Step, ...]:
    with PracticeServer(estate_folder) as server:
        manager, admin = play.take_seats(server.estate, "UATFULL", server.url, server.ca_file)
        return play.play(manager, admin, 1, hard=hard)


def ids(org: OrgState, name: str, where: str = '"IsDeleted" = 0') -> set[str]:
    return {row[0] for row in org.db.execute(f'SELECT "Id" FROM "{name}" WHERE {where}')}


def contents(org: OrgState, name: str) -> dict[str, tuple[Any, ...]]:
    names = [field.name for field in org.object(name).stored_fields if not field.system]
    columns = ", ".join(f'"{one}"' for one in names)
    found = org.db.execute(f'SELECT "Id", {columns} FROM "{name}" WHERE "IsDeleted" = 0')
    return {row[0]: tuple(row[1:]) for row in found}


def test_the_rehearsal_ends_with_a_smoke_check_that_is_false(estate_folder: Path) -> None:
    heard: list[Step] = []
    with PracticeServer(estate_folder) as server:
        manager, admin = play.take_seats(server.estate, "uatfull", server.http_url)
        steps = play.play(manager, admin, 1, on_step=heard.append)
    assert heard == list(steps)
    assert [one.good for one in steps] == [True] * (len(steps) - 1) + [False]
    assert "smoke check failed" in steps[-1].line
    assert all("\n" not in one.line and one.line for one in steps)


def test_it_creates_changes_and_deletes_and_leaves_production_alone(estate_folder: Path) -> None:
    before = Estate.open(estate_folder)
    assert (org := before.sandbox("UATFULL")) is not None
    old = {name: contents(org, name) for name in (*COUNTED, "Payment__c", "Invoice__c", "InvoiceLine__c", "Case")}
    old_dates = dict(org.db.execute('SELECT "Id", "ValueDate__c" FROM "Payment__c"').fetchall())
    old_production = {name: contents(before.production, name) for name in old}
    before.close()

    hold(estate_folder)

    after = Estate.open(estate_folder)
    try:
        assert (org := after.sandbox("UATFULL")) is not None
        new = {name: {row_id: None for row_id in ids(org, name)} for name in old}
        for name in ("Account", "Contact", "Project__c", "ProjectMember__c", "InvoiceLine__c", "Task"):
            assert set(new[name]) - set(old[name]), f"created {name}"
        for name in ("Project__c", "ProjectMember__c", "Machine__c", "ServiceVisit__c", "Invoice__c", "InvoiceLine__c"):
            assert set(old[name]) - set(new[name]), f"deleted {name}"
        assert len(ids(org, "PaymentRun__c")) == 2
        changed = contents(org, "Case")
        owner = [field.name for field in org.object("Case").stored_fields if not field.system].index("OwnerId")
        moved = [row_id for row_id in old["Case"] if changed[row_id][owner] != old["Case"][row_id][owner]]
        assert len(moved) == 2
        rule = org.db.execute("SELECT active FROM validation_rules WHERE name = 'Refund_Below_Zero'").fetchone()
        assert rule == (0,)
        assert {name: contents(after.production, name) for name in old} == old_production
        dates = dict(org.db.execute('SELECT "Id", "ValueDate__c" FROM "Payment__c"').fetchall())
        assert any(old_dates[one] is None and dates[one] is not None for one in old_dates)
        assert any(old_dates[one] is not None and dates[one] is None for one in old_dates)
    finally:
        after.close()


def test_the_same_seed_makes_the_same_rehearsal(seeded_folder: Path, tmp_path: Path) -> None:
    found = []
    for name in ("one", "two"):
        folder = Path(shutil.copytree(seeded_folder, tmp_path / name))
        lines = [one.line for one in hold(folder)]
        estate = Estate.open(folder)
        assert (org := estate.sandbox("UATFULL")) is not None
        found.append((lines, {one: ids(org, one) for one in COUNTED}))
        estate.close()
    assert found[0] == found[1]


def test_hard_deletes_for_good_and_moves_unique_values(estate_folder: Path) -> None:
    def keys(estate: Estate, name: str, column: str) -> dict[str, str]:
        assert (org := estate.sandbox("UATFULL")) is not None
        found = org.db.execute(
            f'SELECT "Id", "{column}" FROM "{name}" WHERE "IsDeleted" = 0 AND "{column}" IS NOT NULL'
        )
        return {row_id: value for row_id, value in found.fetchall()}

    columns = (("Contact", "BadgeNumber__c"), ("Machine__c", "SerialNumber__c"), ("Routing__c", "Code__c"))
    before = Estate.open(estate_folder)
    old = [keys(before, *one) for one in columns]
    before.close()
    steps = hold(estate_folder, hard=True)
    assert any("for good" in one.line for one in steps)
    after = Estate.open(estate_folder)
    new = [keys(after, *one) for one in columns]
    after.close()
    badges, serials, codes = zip(old, new, strict=True)
    moved = [one for one in badges[1] if badges[0][one] != badges[1][one]]
    assert len(moved) == 2 and {badges[0][one] for one in moved} == {badges[1][one] for one in moved}
    (replacement,) = set(serials[1]) - set(serials[0])
    assert serials[1][replacement] in serials[0].values()
    assert len(set(codes[0]) - set(codes[1])) == 2


def test_nobody_rehearses_in_production(estate_folder: Path) -> None:
    with PracticeServer(estate_folder) as server:
        production = server.estate.production
        user_id = production.db.execute('SELECT "Id" FROM "User" WHERE "Alias" = \'release\'').fetchone()[0]
        seat = Seat(server.http_url, server.estate.issue_token(production, user_id))
        with pytest.raises(PlayFailed, match="not a sandbox"):
            play.play(seat, seat)
        assert {one.method for one in server.production_requests()} == {"GET"}


def test_an_unknown_sandbox_is_refused(seeded_estate: Estate) -> None:
    with pytest.raises(PlayFailed, match="NOWHERE"):
        play.take_seats(seeded_estate, "NOWHERE", "http://127.0.0.1:1")


def test_a_refusal_of_the_org_is_told_in_its_words(estate_folder: Path) -> None:
    with PracticeServer(estate_folder) as server:
        manager, _ = play.take_seats(server.estate, "UATFULL", server.http_url)
        with Caller(manager) as caller:
            with pytest.raises(PlayFailed, match="REQUIRED_FIELD_MISSING"):
                caller.create("Account", [{"Phone": "1"}])
            with pytest.raises(PlayFailed, match="INVALID_TYPE"):
                caller.query("SELECT Id FROM Nothing__c")
            with pytest.raises(
                PlayFailed, match="Routing__c ended JobComplete: .*INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
            ):
                caller.bulk("Routing__c", "insert", [{"Name": "x", "Code__c": "X-1", "Region__c": "Nowhere"}])
            broken = {path: body for path, body in build_package().items() if "PaymentRunBatch" not in path}
            with pytest.raises(PlayFailed, match="ended Failed. .*PaymentRunBatch"):
                caller.deploy(broken)
