"""Values that live in fields which a reset destroys: what people wrote into an added field goes with it.

No capture holds these values, because the baseline does not know the field. Nobody tells who wrote a value, only who
wrote the row last: a value came after the field, so rows that were not written since the baseline hold only what the
field gave them itself. A reset that keeps such a field writes rows too, and is then who wrote last: so what an earlier
plan kept is kept until somebody says otherwise. Where a field cannot be read by this login, or no filter takes it, each
row that was written since counts. Reads only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

from rehearse import clock
from rehearse.baseline.model import Change
from rehearse.errors import OrgRejected
from rehearse.ids import to_18
from rehearse.org.connect import OrgReader
from rehearse.org.model import Schema
from rehearse.reset.apply_context import Context
from rehearse.reset.lost_values import SHARED
from rehearse.reset.model import ResetPlan

FIELD = "CustomField"
_WITHOUT_ROWS = ("__e", "__mdt", "__b")
"""Platform events keep no rows, custom metadata is metadata, and big objects have no last modified date."""


def fetch_written(reader: OrgReader, changes: Iterable[Change], since: datetime) -> dict[str, dict[str, int]]:
    """`Object.Field` that was added to an object of the baseline -> user -> rows with a value that he wrote last.

    Raises OrgError where the org cannot be asked.
    """
    new = [one for one in changes if one.kind == "component" and one.what == "created"]
    objects = {one.key for one in new if one.type == "CustomObject"}
    fields = [one.key for one in new if one.type == FIELD and one.key.partition(".")[0] not in objects]
    found = _count(reader, fields, f"LastModifiedDate >= {clock.iso(since.replace(microsecond=0))}")
    return {field: writers for field, writers in found.items() if writers}


def find_kept_before(plans: Iterable[ResetPlan], baseline_capture: str) -> frozenset[str]:
    """The fields that earlier plans back to this baseline left standing for the values of others in them."""
    ours = (one for one in plans if one.baseline_capture == baseline_capture)
    return frozenset(made.type for one in ours for made in one.created if made.stay and "." in made.type)


def count_newer_values(context: Context, fields: Iterable[str]) -> dict[str, int]:
    """Of these fields those with values in rows that somebody else wrote since the plan: how many. Raises OrgError."""
    since = clock.iso(context.planned_at.replace(microsecond=0))
    where = f"LastModifiedDate >= {since} AND LastModifiedById != '{context.user_id}'"
    found = _count(context.writer.reader, fields, where)
    return {field: sum(writers.values()) for field, writers in found.items() if writers}


def _count(reader: OrgReader, fields: Iterable[str], where: str) -> dict[str, Counter[str]]:
    """Field -> user who wrote a row last that holds a value there -> rows; `where` says which rows may."""
    found: dict[str, Counter[str]] = {}
    schemas: dict[str, Schema | None] = {}
    for field in fields:
        named, _, name = field.partition(".")
        for object in SHARED.get(named, (named,)):
            if object not in schemas:
                schemas[object] = None if object.endswith(_WITHOUT_ROWS) else _fetch_schema(reader, object)
            schema = schemas[object]
            if schema is not None and _takes_values(schema, name):
                found.setdefault(field, Counter()).update(_fetch_writers(reader, schema, name, where))
    return found


def _fetch_schema(reader: OrgReader, object: str) -> Schema | None:
    try:
        return reader.fetch_schema(object)
    except OrgRejected:
        return None  # an object that is gone, or that this login may not see at all


def _takes_values(schema: Schema, name: str) -> bool:
    """Whether people write into a field; one that this login does not see may be of that kind."""
    known = schema.field(name)
    stamped = schema.field("LastModifiedById") is not None and schema.field("LastModifiedDate") is not None
    return stamped and not (known is not None and (known.calculated or known.auto_number))


def _fetch_writers(reader: OrgReader, schema: Schema, name: str, where: str) -> Counter[str]:
    for narrow in _conditions(schema, name):
        soql = f"SELECT LastModifiedById who, COUNT(Id) n FROM {schema.name} WHERE {where}{narrow}"
        try:
            rows = list(reader.fetch_rows(f"{soql} GROUP BY LastModifiedById"))
        except OrgRejected:
            continue
        return Counter({to_18(str(row["who"])): int(str(row["n"])) for row in rows})
    return Counter()


def _conditions(schema: Schema, name: str) -> Iterator[str]:
    """What tells rows with a value, and nothing at all where that is refused (long texts allow no filter)."""
    known = schema.field(name)
    if known is not None:
        yield f" AND {name} = true" if known.type == "boolean" else f" AND {name} != null"
    yield ""
