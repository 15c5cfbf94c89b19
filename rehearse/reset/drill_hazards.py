"""One canary for each class of hazard that a small object of our own can show: does this org do what the table says?

Each answer begins with "yes" where the org behaves as the table of hazards has it.
"""

from __future__ import annotations

import zipfile
from datetime import timedelta

from rehearse import clock
from rehearse.baseline.components import package_prefix
from rehearse.baseline.writing import nameless_file
from rehearse.errors import OrgError
from rehearse.reset import drill_canary as canary
from rehearse.reset.drill import Hand, require

FIELDS = ("Name", *canary.FIELDS)


def is_undeleted_whole(hand: Hand) -> str:
    """Hazard `deleted`: Id and every value are kept."""
    row = hand.codes()["C1"]
    before = _row(hand, row)
    hand.delete(canary.OBJECT, [row])
    (back,) = hand.undelete(canary.OBJECT, [row])
    if not back.success:
        return "no: it does not come back"
    lost = sorted(name for name, value in _row(hand, row).items() if before[name] != value)
    return f"no: {', '.join(lost)} differ" if lost else "yes"


def is_a_condition_heard(hand: Hand) -> str:
    """`If-Unmodified-Since`: an update of a row that was changed since is refused, alone and in a composite call."""
    codes = hand.codes()
    ids = [codes["C2"], codes["C3"]]
    found = hand.writer.reader.fetch_by_ids(canary.OBJECT, ids, ["Note__c", "LastModifiedDate"])
    read = {id: clock.from_iso(str(row["LastModifiedDate"])) for id, row in found.items()}
    old = {id: at - timedelta(minutes=1) for id, at in read.items()}
    late = [{"Id": id, "Note__c": "late"} for id in ids]
    for told, rows in (("a row alone", late[:1]), ("rows of a composite call", late)):
        if any(one.success for one in hand.update_if_unchanged(canary.OBJECT, rows, old)):
            return f"no: {told} written all the same"
    same = [{"Id": id, "Note__c": found[id]["Note__c"]} for id in ids]
    kept = hand.update_if_unchanged(canary.OBJECT, same, read)
    return "yes" if all(one.success for one in kept) else "no: rows that nobody changed are refused too"


def does_a_lookup_come_back(hand: Hand) -> str:
    """Record hazards, row 6: a look-up that a deletion cleared is there again after the undelete."""
    codes = hand.codes()
    hand.update(canary.OBJECT, [{"Id": codes["C6"], "Parent__c": codes["C5"]}])
    hand.delete(canary.OBJECT, [codes["C5"]])
    hand.undelete(canary.OBJECT, [codes["C5"]])
    return "yes" if _row(hand, codes["C6"])["Parent__c"] == codes["C5"] else "no: the reset writes it again"


def does_a_picklist_value_stay(hand: Hand) -> str:
    """Hazard `picklist-added`: a value that is left out of a deployment stays, inactive."""
    for values in (("A", "B"), ("A", "B", "C"), ("A", "B")):
        require(
            hand.deploy("Deploying a picklist", canary.picklist_files(values, hand.version)), "Deploying a picklist"
        )
    inner = _retrieved(hand)
    if "<fullName>C</fullName>" not in inner:
        return "no: the value is gone"
    entry = inner[inner.index("<fullName>C</fullName>") :]
    return "yes" if "<isActive>false</isActive>" in entry[: entry.index("</value>")] else "no: it stays active"


def does_a_record_type_stay(hand: Hand) -> str:
    """Hazard `record-type-added`: no deployment deletes one."""
    require(hand.deploy("Adding a record type", canary.record_type_files(hand.version)), "Adding a record type")
    gone = canary.destruction({"RecordType": [f"{canary.OBJECT}.Trial"]}, hand.version)
    done = hand.deploy("Deleting the record type", gone)
    return "no: it was deleted" if done.success else "yes"


def does_a_redeployed_field_come_empty(hand: Hand) -> str:
    """Hazard `field-lost`: a field that was deleted and made again has lost its values."""
    files = canary.field_files("Lost__c", hand.version)
    access = canary.access_files((*canary.FIELDS, "Lost__c"), hand.version)
    for one in (files, access):
        require(hand.deploy("Adding a field", one), "Adding a field")
    row = hand.codes()["C1"]
    hand.update(canary.OBJECT, [{"Id": row, "Lost__c": "here"}])
    gone = canary.destruction({"CustomField": [f"{canary.OBJECT}.Lost__c"]}, hand.version)
    for one in (gone, files, access):
        require(hand.deploy("Making the field again", one), "Making the field again")
    found = hand.writer.reader.fetch_by_ids(canary.OBJECT, [row], ["Lost__c"])
    return "yes" if found[row]["Lost__c"] is None else "no: it still has them"


def _row(hand: Hand, row: str) -> dict[str, object]:
    found = hand.writer.reader.fetch_by_ids(canary.OBJECT, [row], list(FIELDS))
    if row not in found:
        raise OrgError("A row of the canary is gone.")
    return {name: found[row][name] for name in FIELDS}


def _retrieved(hand: Hand) -> str:
    """The canary's object file as the org has it now."""
    with nameless_file() as path:
        hand.writer.reader.retrieve({"CustomObject": (canary.OBJECT,)}, path)
        with zipfile.ZipFile(path) as zipped:
            prefix = package_prefix(zipped.namelist())
            return zipped.read(f"{prefix}objects/{canary.OBJECT}.object").decode()
