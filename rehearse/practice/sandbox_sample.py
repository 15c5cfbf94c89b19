"""Which records a copy takes along: all, none but set-up, or a sample in which no reference hangs.

A Partial copy takes up to so many records of each object, evenly spread over its ids, and then whatever those refer to,
until nothing refers to a record that is left behind. The same source gives the same sample. Works inside the file of
the copy, by deleting what does not come along; rules and automation never run.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from rehearse.practice.org_state import OrgState
from rehearse.practice.org_tables import quote
from rehearse.practice.schema import ObjectDef


def is_data(definition: ObjectDef, *, with_custom_settings: bool) -> bool:
    """Whether the records of an object are data, which a copy without data leaves behind.

    Set-up objects and custom metadata types are not; custom settings are, unless `with_custom_settings`.
    """
    if definition.setup or definition.name.endswith("__mdt"):
        return False
    return not (definition.custom_setting and with_custom_settings)


def keep_no_data(org: OrgState, *, with_custom_settings: bool) -> None:
    """Delete every data record, as a Developer copy has none."""
    with org.transaction() as db:
        for definition in org.objects().values():
            if is_data(definition, with_custom_settings=with_custom_settings):
                db.execute(f"DELETE FROM {quote(definition.name)}")


def keep_sample(org: OrgState, most: int) -> None:
    """Keep up to `most` records of each object, and all that they refer to, directly or not."""
    data = [one for one in org.objects().values() if is_data(one, with_custom_settings=True)]
    prefixes = {one.key_prefix: one for one in data}
    kept: dict[str, set[str]] = {}
    with org.transaction() as db:
        for definition in data:
            ids = [row[0] for row in db.execute(f'SELECT "Id" FROM {quote(definition.name)} ORDER BY "Id"')]
            kept[definition.name] = set(spread(ids, most))
        fresh = {definition.name: set(kept[definition.name]) for definition in data}
        while any(fresh.values()):
            found = _referred(org, data, fresh)
            fresh = defaultdict(set)
            for row_id in found:
                target = prefixes.get(row_id[:3])
                if target is not None and row_id not in kept[target.name]:
                    fresh[target.name].add(row_id)
                    kept[target.name].add(row_id)
        for definition in data:
            _delete_others(org, definition, kept[definition.name])


def spread(ids: list[str], most: int) -> list[str]:
    """At most `most` of these ids, evenly spread, always the same ones."""
    if len(ids) <= most:
        return ids
    return [ids[place * len(ids) // most] for place in range(most)]


def _referred(org: OrgState, data: Iterable[ObjectDef], fresh: dict[str, set[str]]) -> set[str]:
    """The ids that these records refer to."""
    found: set[str] = set()
    for definition in data:
        columns = [quote(one.name) for one in definition.fields if one.type == "reference" and one.stored]
        wanted = fresh.get(definition.name)
        if not wanted or not columns:
            continue
        for row in org.db.execute(f'SELECT "Id", {", ".join(columns)} FROM {quote(definition.name)}'):
            if row[0] in wanted:
                found.update(value for value in row[1:] if value)
    return found


def _delete_others(org: OrgState, definition: ObjectDef, kept: set[str]) -> None:
    table = quote(definition.name)
    ids = [row[0] for row in org.db.execute(f'SELECT "Id" FROM {table}')]
    org.db.executemany(f'DELETE FROM {table} WHERE "Id" = ?', [(one,) for one in ids if one not in kept])
