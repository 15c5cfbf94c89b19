"""The open questions of our research notes, each asked of a real org by one small canary, and what was answered.

No document settles them, and they decide how a reset works at its edges. A question that no canary can ask (a bin of
millions, a switch that cannot be turned back) is listed with the reason, and stays open.
"""

from __future__ import annotations

import csv
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass

from rehearse.baseline.components import package_prefix
from rehearse.baseline.writing import nameless_file
from rehearse.errors import OrgBusy, OrgError, OrgUncertain
from rehearse.events import OnEvent, Started, ignore
from rehearse.org.model import DeployResult, SaveResult
from rehearse.reset import drill_canary as canary
from rehearse.reset import drill_hazards
from rehearse.reset.drill import Hand, assign, remove_flow, require
from rehearse.reset.model import Settled

MANY = 200
_TRIES = 12


@dataclass(frozen=True)
class Question:
    """One open question; `ask` gives the answer, `why_not` says why no drill asks it."""

    key: str
    text: str
    ask: Callable[[Hand], str] | None = None
    why_not: str = ""


def settle(hand: Hand, on_event: OnEvent = ignore) -> tuple[Settled, ...]:
    """Ask everything that can be asked; an answer that the org refuses to give leaves its question open."""
    found: list[Settled] = []
    for one in QUESTIONS:
        if one.ask is None:
            found.append(Settled(one.key, f"not asked: {one.why_not}", False, one.text))
            continue
        on_event(Started(f"Asking: {one.text}"))
        try:
            found.append(Settled(one.key, one.ask(hand), True, one.text))
        except (OrgBusy, OrgUncertain):
            raise
        except OrgError as error:
            found.append(Settled(one.key, f"no answer: {error.message}", False, one.text))
    return tuple(found)


def _does_clearing_stamp(hand: Hand) -> str:
    codes = hand.codes()
    (saved,) = hand.update(canary.OBJECT, [{"Id": codes["C3"], "Parent__c": codes["C4"]}])
    _demand(saved)
    before = _stamp(hand, codes["C3"])
    _next_second(hand, before)
    hand.delete(canary.OBJECT, [codes["C4"]])
    after = _stamp(hand, codes["C3"])
    hand.undelete(canary.OBJECT, [codes["C4"]])
    return "yes" if after != before else "no"


def _does_a_new_field_stamp(hand: Hand) -> str:
    row = hand.codes()["C1"]
    before = _stamp(hand, row)
    _next_second(hand, before)
    require(hand.deploy("Adding a field", canary.field_files("Probe__c", hand.version)), "Adding a field")
    return "yes" if _stamp(hand, row) != before else "no"


def _are_binned_values_held(hand: Hand) -> str:
    row = hand.codes()["C6"]
    hand.delete(canary.OBJECT, [row])
    (saved,) = hand.insert(canary.OBJECT, [{"Name": "Twin", "Code__c": "C6"}])
    if saved.success and saved.id:
        hand.delete(canary.OBJECT, [saved.id])
    hand.undelete(canary.OBJECT, [row])
    return "no" if saved.success else f"yes: {_codes_of(saved)}"


def _does_undelete_take_200(hand: Hand) -> str:
    made = hand.insert(canary.OBJECT, [{"Name": f"Many {n}"} for n in range(MANY)])
    ids = [one.id for one in made if one.success and one.id]
    hand.delete(canary.OBJECT, ids)
    back = hand.undelete(canary.OBJECT, ids)
    hand.delete(canary.OBJECT, ids)
    return "yes" if len(ids) == MANY and all(one.success for one in back) else "no"


def _what_bulk_refuses_with(hand: Hand) -> str:
    reader = hand.writer.reader
    try:
        job = reader.start_query_job(f"SELECT Code__c, COUNT(Id) FROM {canary.OBJECT} GROUP BY Code__c")
    except OrgError as error:
        return str(getattr(error, "org_code", error.code))
    reader.delete_query_job(reader.wait_query_job(job.id).id)
    return "it is not refused"


def _how_bulk_writes(hand: Hand) -> list[str]:
    """One data line of a Bulk result: a row whose Note__c is null."""
    reader = hand.writer.reader
    _demand(*hand.update(canary.OBJECT, [{"Id": hand.codes()["C1"], "Note__c": None}]))
    job = reader.start_query_job(f"SELECT Id, Note__c, CreatedDate FROM {canary.OBJECT} WHERE Code__c = 'C1'")
    job = reader.wait_query_job(job.id)
    with nameless_file() as path:
        reader.download_page(job.id, None, path)
        text = path.read_text(encoding="utf-8")
    reader.delete_query_job(job.id)
    return text.splitlines()[1].split(",")


def _how_bulk_writes_null(hand: Hand) -> str:
    return 'as ""' if _how_bulk_writes(hand)[1] == '""' else "as an empty cell"


def _how_bulk_writes_times(hand: Hand) -> str:
    written = _how_bulk_writes(hand)[2].strip('"')
    return written[written.index(".") :].lstrip(".0123456789") or "without a zone"


def _does_a_key_column_pass(hand: Hand) -> str:
    writer = hand.writer
    entry = hand.journal.open("drill-ingest", {"object": canary.OBJECT})
    job = writer.open_ingest(canary.OBJECT, "insert")
    entry = hand.journal.amend(entry, {"job": job.id})
    with nameless_file() as path:
        with path.open("w", newline="") as target:
            csv.writer(target, lineterminator="\n").writerows([["Name", "Code__c", "RehearseKey"], ["Key", "C8", "k1"]])
        writer.upload_ingest(job.id, path)
    writer.close_ingest(job.id)
    done = writer.wait_ingest(job.id)
    rows = list(writer.fetch_ingest_results(job.id, "successful")) if done.state == "JobComplete" else []
    hand.journal.close(entry, {"state": done.state})
    if not rows:
        return f"no: the job ended {done.state}"
    return "yes" if rows[0].get("RehearseKey") == "k1" else "no: the column is left out of the results"


def _does_a_flow_go_in_one(hand: Hand) -> str:
    require(hand.deploy("Planting a flow", canary.flow_files(hand.version)), "Planting a flow")
    done = hand.deploy("Removing the flow in one go", canary.flow_removal(hand.version))
    remove_flow(hand)
    return "yes" if done.success else f"no: {_problem(done)}"


def _does_a_field_come_again(hand: Hand) -> str:
    files = canary.field_files("Twin__c", hand.version)
    require(hand.deploy("Planting a field", files), "Planting a field")
    gone = canary.destruction({"CustomField": [f"{canary.OBJECT}.Twin__c"]}, hand.version)
    require(hand.deploy("Deleting the field", gone), "Deleting the field")
    again = hand.deploy("Making the field again", files)
    return "yes" if again.success else f"no: {_problem(again)}"


def _how_a_retrieve_is_laid_out(hand: Hand) -> str:
    with nameless_file() as path:
        hand.writer.reader.retrieve({"PermissionSet": (canary.ACCESS,)}, path)
        with zipfile.ZipFile(path) as zipped:
            prefix = package_prefix(zipped.namelist())
    return f"in the folder {prefix}" if prefix else "at the root of the zip"


def _what_is_hard_to_delete(hand: Hand) -> str:
    require(hand.deploy("Planting sets and queues", canary.set_files(hand.version)), "Planting sets and queues")
    assign(hand, canary.HELD)
    said = []
    for type, name in (("PermissionSet", canary.HELD), ("Group", canary.GROUP), ("Queue", canary.QUEUE)):
        done = hand.deploy(f"Deleting a {type}", canary.destruction({type: [name]}, hand.version))
        said.append(f"{type} {'deleted' if done.success else f'refused ({_problem(done)})'}")
    return "; ".join(said)


QUESTIONS: tuple[Question, ...] = (
    Question("data 2.2", "Is an update refused whose row was changed since?", drill_hazards.is_a_condition_heard),
    Question("data 8.1", "How many rows does the recycle bin hold?", why_not="it would take millions of rows"),
    Question("data 8.2", "Does clearing a lookup move SystemModstamp?", _does_clearing_stamp),
    Question("data 8.3", "With which code does Bulk refuse GROUP BY?", _what_bulk_refuses_with),
    Question("data 8.4", "Does a row in the bin hold its unique values?", _are_binned_values_held),
    Question("data 8.5", "Does undelete take 200 ids a call?", _does_undelete_take_200),
    Question("data 8.6", "Does resultPages keep to maxRecords?", why_not="no read of ours depends on it"),
    Question("data 8.7", "How does Bulk write null?", _how_bulk_writes_null),
    Question("data 8.8", "Does adding a field move SystemModstamp of all rows?", _does_a_new_field_stamp),
    Question("data 8.9", "With which zone does Bulk write times?", _how_bulk_writes_times),
    Question("data 8.10", "Does a range of Ids keep PK chunking?", why_not="it would take a large object"),
    Question("data 8.11", "May a Bulk insert carry a key column of ours?", _does_a_key_column_pass),
    Question("metadata 9.1", "Is a flow switched off and deleted in one deployment?", _does_a_flow_go_in_one),
    Question("metadata 9.2", "May a field be made again while the old one is in the bin?", _does_a_field_come_again),
    Question("metadata 9.3", "How is a retrieve with singlePackage laid out?", _how_a_retrieve_is_laid_out),
    Question("metadata 9.4", "What happens to sets, groups and queues that are deleted?", _what_is_hard_to_delete),
    Question("metadata 9.5", "Which settings cannot be turned back?", why_not="it could not be turned back"),
    Question("metadata 9.6", "How many retrieves run at once?", why_not="it would slow everybody else down"),
    Question("hazard deleted", "Does a row come out of the bin with all its values?", drill_hazards.is_undeleted_whole),
    Question(
        "hazard lookup", "Does a cleared lookup come back with an undelete?", drill_hazards.does_a_lookup_come_back
    ),
    Question(
        "hazard picklist-added",
        "Does a removed picklist value stay, inactive?",
        drill_hazards.does_a_picklist_value_stay,
    ),
    Question("hazard record-type-added", "Is deleting a record type refused?", drill_hazards.does_a_record_type_stay),
    Question(
        "hazard field-lost", "Is a field that is made again empty?", drill_hazards.does_a_redeployed_field_come_empty
    ),
    Question("metadata 9.7", "Does API 43 still show all versions of flows?", why_not="Tooling shows them"),
)


def _stamp(hand: Hand, row: str) -> str:
    found = hand.writer.reader.fetch_by_ids(canary.OBJECT, [row], ["SystemModstamp"])
    return str(found[row]["SystemModstamp"])


def _next_second(hand: Hand, stamp: str) -> None:
    """Stamps have whole seconds: wait until the org's clock shows another one."""
    for _ in range(_TRIES):
        if f"{hand.writer.reader.fetch_server_time():%Y-%m-%dT%H:%M:%S}" > stamp[:19]:
            return
        time.sleep(0.1)


def _demand(*results: SaveResult) -> None:
    for one in results:
        if not one.success:
            raise OrgError(f"The canary could not be changed: {_codes_of(one)}.")


def _codes_of(saved: SaveResult) -> str:
    return ", ".join(one.code for one in saved.errors) or "refused"


def _problem(done: DeployResult) -> str:
    return next((one.problem for one in done.messages if not one.success), done.error) or done.status
