"""The drill's own hand in a Developer sandbox: it plants a canary, changes it as a rehearsal would, and removes it.

Every call goes through OrgWriter and is journalled first. Each of the three deeds may be repeated after a kill: a
deployment of what is there changes nothing, rows are looked up by their code before any is written, and what is gone
already is not missed. What a drill did not plant it never touches.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rehearse.baseline.writing import nameless_file
from rehearse.errors import OrgRejected
from rehearse.events import OnEvent, Started, ignore
from rehearse.journal import Journal
from rehearse.org.connect import OrgWriter
from rehearse.org.model import DeployResult, SaveResult, Value
from rehearse.reset import drill_canary as canary
from rehearse.reset.deploy_zip import write_zip

Rows = Sequence[Mapping[str, Value]]


@dataclass(frozen=True)
class Hand:
    """What a drill writes with: a writer of a proven sandbox, and the journal of this drill."""

    writer: OrgWriter
    journal: Journal
    on_event: OnEvent = ignore

    @property
    def version(self) -> str:
        return self.writer.reader.api_version

    def deploy(self, what: str, files: Mapping[str, bytes]) -> DeployResult:
        """Deploy files and wait for the end, good or bad."""
        self.on_event(Started(what))
        entry = self.journal.open("drill-deploy", {"what": what})
        with nameless_file() as path:
            write_zip(files, path)
            deploy_id = self.writer.start_deploy(path)
        entry = self.journal.amend(entry, {"deploy": deploy_id})
        done = self.writer.wait_deploy(deploy_id, self.on_event)
        self.journal.close(entry, {"status": done.status})
        return done

    def insert(self, object: str, rows: Rows) -> tuple[SaveResult, ...]:
        return self._rows("insert", object, len(rows), lambda: self.writer.insert_rows(object, rows))

    def update(self, object: str, rows: Rows) -> tuple[SaveResult, ...]:
        return self._rows("update", object, len(rows), lambda: self.writer.update_rows(object, rows))

    def update_if_unchanged(self, object: str, rows: Rows, since: Mapping[str, datetime]) -> tuple[SaveResult, ...]:
        return self._rows(
            "update", object, len(rows), lambda: self.writer.update_rows_if_unchanged(object, rows, since)
        )

    def delete(self, object: str, ids: Sequence[str]) -> tuple[SaveResult, ...]:
        return self._rows("delete", object, len(ids), lambda: self.writer.delete_rows(ids))

    def undelete(self, object: str, ids: Sequence[str]) -> tuple[SaveResult, ...]:
        return self._rows("undelete", object, len(ids), lambda: self.writer.undelete_rows(ids))

    def _rows(self, do: str, object: str, count: int, call: Any) -> tuple[SaveResult, ...]:
        if not count:
            return ()
        entry = self.journal.open(f"drill-{do}", {"object": object, "rows": count})
        done: tuple[SaveResult, ...] = call()
        self.journal.close(entry, {"ok": [], "refused": sorted({e.code for one in done for e in one.errors})})
        return done

    def codes(self) -> dict[str, str]:
        """Code -> Id of the canary rows that are there."""
        rows = self.writer.reader.fetch_rows(f"SELECT Id, Code__c FROM {canary.OBJECT}")
        return {str(row["Code__c"]): str(row["Id"]) for row in rows if row["Code__c"]}


def plant(hand: Hand) -> None:
    """The canary with its rows, visible to our user. Raises OrgRejected with the org's own words."""
    require(hand.deploy("Planting the canary", canary.planted(hand.version)), "Planting the canary")
    assign(hand)
    there = hand.codes()
    missing = [dict(one) for one in canary.ROWS if str(one["Code__c"]) not in there]
    _all_saved(hand.insert(canary.OBJECT, missing), "Planting the canary's rows")
    codes = hand.codes()
    _all_saved(
        hand.update(canary.OBJECT, [{"Id": codes["C3"], "Parent__c": codes["C2"]}]), "Planting the canary's rows"
    )


def change(hand: Hand) -> None:
    """What a rehearsal would do to the canary: metadata and rows created, updated and deleted. Raises OrgRejected."""
    require(hand.deploy("Changing the canary", canary.changed(hand.version)), "Changing the canary")
    codes = hand.codes()
    edits: list[dict[str, Value]] = [{"Id": codes["C1"], "Note__c": None, "Amount__c": 1}]
    if "C4" in codes:
        edits.append({"Id": codes["C4"], "Parent__c": codes["C1"], "New__c": "new"})
    _all_saved(hand.update(canary.OBJECT, edits), "Changing the canary's rows")
    _all_saved(hand.delete(canary.OBJECT, [codes[one] for one in ("C2", "C5") if one in codes]), "Deleting canary rows")
    if "C9" not in codes:
        _all_saved(hand.insert(canary.OBJECT, [{"Name": "Canary 9", "Code__c": "C9"}]), "Creating a canary row")


def remove(hand: Hand) -> None:
    """Everything that the drill planted goes, also what is half there. Raises OrgRejected."""
    hand.delete("PermissionSetAssignment", [*_assignments(hand), *_assignments(hand, canary.HELD)])
    remove_flow(hand)
    done = hand.deploy("Removing the canary", canary.removed(hand.version))
    require(done, "Removing the canary")


def remove_flow(hand: Hand) -> None:
    """The canary's flow goes, where it is there: off first, then version by version (Tooling API)."""
    soql = f"SELECT VersionNumber FROM Flow WHERE Definition.DeveloperName = '{canary.FLOW}'"
    numbers = sorted(int(str(one["VersionNumber"])) for one in hand.writer.reader.fetch_tooling_rows(soql))
    if not numbers:
        return
    entry = hand.journal.open("drill-flow", {"versions": numbers})
    hand.writer.set_active_flow_version(canary.FLOW, 0)
    for number in numbers:
        hand.writer.delete_flow_version(canary.FLOW, number)
    hand.journal.close(entry, {})


def require(done: DeployResult, doing: str) -> None:
    """Raise OrgRejected with the first problem of a deployment that failed."""
    if not done.success:
        problem = next((one.problem for one in done.messages if not one.success), done.error)
        raise OrgRejected(done.status, problem or "no message", doing)


def assign(hand: Hand, name: str = canary.ACCESS) -> None:
    """Give our own user a permission set of the canary, once."""
    if _assignments(hand, name):
        return
    sets = hand.writer.reader.fetch_rows(f"SELECT Id FROM PermissionSet WHERE Name = '{name}'")
    user_id = hand.writer.reader.fetch_identity().user_id
    rows = [{"AssigneeId": user_id, "PermissionSetId": str(one["Id"])} for one in sets]
    _all_saved(hand.insert("PermissionSetAssignment", rows), "Letting our user see the canary")


def _assignments(hand: Hand, name: str = canary.ACCESS) -> list[str]:
    soql = f"SELECT Id FROM PermissionSetAssignment WHERE PermissionSet.Name = '{name}'"
    return [str(one["Id"]) for one in hand.writer.reader.fetch_rows(soql)]


def _all_saved(results: Sequence[SaveResult], doing: str) -> None:
    for one in results:
        if not one.success:
            error = one.errors[0] if one.errors else None
            raise OrgRejected(error.code if error else "FAILED", error.message if error else "no message", doing)
