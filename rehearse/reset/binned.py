"""Below what deleted rows lie in the recycle bin: a row that was moved first lies below its last master.

Reads the org. No org undeletes a row whose master is deleted (SOAP API guide, undelete), and one that was deleted
before its master is gone for good (Salesforce Help 000386040). A master of the rehearsal that lies in the bin too is a
*carrier*: it comes back first, what lies below it is moved to where the baseline has it, and it is deleted again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from rehearse import clock
from rehearse.errors import OrgRejected
from rehearse.org.connect import OrgReader
from rehearse.org.model import Schema, Value
from rehearse.reset.inputs import Bin, Carrier

STAMP = "SystemModstamp"
SAME_DELETION = timedelta(seconds=60)
"""Rows that one deletion takes along carry stamps of one transaction; what went longer before its master went alone."""


@dataclass(frozen=True)
class Places:
    """Where the deleted rows of one object are, and of those in the bin the masters that they have there, with when
    they went; keys and masters by their Ids in the baseline."""

    bin: Mapping[str, Bin] = field(default_factory=dict)
    masters: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    went: Mapping[str, str] = field(default_factory=dict)


def firm_fields(schema: Schema) -> tuple[str, ...]:
    """The references without which a row cannot be: of a detail to its master, and those that may not be null."""
    references = (one for one in schema.fields if one.type == "reference" and one.createable)
    own = (one for one in references if one.is_master_detail or not (one.nillable or one.defaulted_on_create))
    return tuple(one.name for one in own if one.name != "OwnerId")


def fetch_places(
    reader: OrgReader, schema: Schema | None, object: str, gone: Mapping[str, str], back: Mapping[str, str]
) -> Places:
    """Where the rows `gone` (live Id -> key) are now, by queryAll; `back`: new Id -> Id in the baseline."""
    if not gone or schema is None:
        return Places()
    binned = schema.field("IsDeleted") is not None  # else queryAll could not say which of its rows are gone
    firm = firm_fields(schema) if binned else ()
    stamped = (STAMP,) if binned and schema.field(STAMP) is not None else ()
    names = [*(["IsDeleted"] if binned else ["Id"]), *firm, *stamped]
    rows = reader.fetch_by_ids(object, list(gone), names, deleted=binned)
    found: dict[str, Bin] = dict.fromkeys(gone.values(), "absent")
    for live, row in rows.items():
        found[gone[live]] = "bin" if row.get("IsDeleted") is True else "live"
    lying = {gone[live]: row for live, row in rows.items() if found[gone[live]] == "bin"}
    return Places(
        found,
        {key: _masters(row, firm, back) for key, row in lying.items()},
        {key: str(row[STAMP]) for key, row in lying.items() if row.get(STAMP)},
    )


def _masters(row: Mapping[str, Value], firm: Sequence[str], back: Mapping[str, str]) -> dict[str, str]:
    return {name: back.get(str(row[name]), str(row[name])) for name in firm if row.get(name)}


def fetch_carriers(
    reader: OrgReader,
    places: Mapping[str, Places],
    before: Mapping[str, Mapping[str, Mapping[str, str | None]]],
    schemas: Mapping[str, Schema],
) -> dict[str, Carrier]:
    """The deleted rows that are none of the baseline's own changes and below which changed rows lie in the bin, by Id.

    Asks only about masters that the row did not have in the baseline (`before`: by object and key). One that is gone
    for good, or that nobody may ask about, has `there` False.
    """
    known = {key for place in places.values() for key in place.bin}
    asked: dict[str, set[str]] = {}
    for object, place in places.items():
        for key, masters in place.masters.items():
            for name, master in masters.items():
                if master not in known and before[object].get(key, {}).get(name) != master:
                    _ask(asked, schemas[object], name, master)
    found: dict[str, Carrier] = {}
    while asked:
        object, ids = asked.popitem()
        schema = schemas[object] if object in schemas else reader.fetch_schema(object)
        place = _lying(reader, schema, sorted(ids))
        for id in place.bin:
            if place.bin[id] == "live":
                continue
            above = place.masters.get(id, {})
            there = place.bin[id] == "bin" and schema.undeletable and schema.deletable
            found[id] = Carrier(object, tuple(above.values()), there, place.went.get(id, ""))
            for name, master in above.items() if there else ():
                if master not in known and master not in found:
                    _ask(asked, schema, name, master)
    return found


def _ask(asked: dict[str, set[str]], schema: Schema, name: str, master: str) -> None:
    known = schema.field(name)
    if known is not None and len(known.reference_to) == 1:  # of several objects nobody could tell without its prefix
        asked.setdefault(known.reference_to[0], set()).add(master)


def _lying(reader: OrgReader, schema: Schema, ids: Sequence[str]) -> Places:
    try:
        return fetch_places(reader, schema, schema.name, {one: one for one in ids}, {})
    except OrgRejected:
        return Places()  # an object that this login may not ask about


def find_buried(schema: Schema, place: Places, went: Mapping[str, str]) -> set[str]:
    """Details in the bin that were deleted on their own before their master was, by the stamps of both deletions."""
    details = {one.name for one in schema.fields if one.is_master_detail}
    return {
        key
        for key, masters in place.masters.items()
        if any(_earlier(place.went.get(key), went.get(master)) for name, master in masters.items() if name in details)
    }


def _earlier(went: str | None, master: str | None) -> bool:
    return bool(went and master) and clock.from_iso(str(went)) + SAME_DELETION < clock.from_iso(str(master))
