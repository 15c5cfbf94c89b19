"""Is a reset plan stale? What moved in its scope since the org was read for it, said in words before anything is sent.

A plan is refused when rows or components of its scope are not what the plan saw. Whoever goes on all the same keeps
what moved: such rows are left alone and the proof names them (`newer_edits`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress

from rehearse.baseline.part_authors import PARTS, fetch_part_authors
from rehearse.errors import OrgRejected, StalePlan
from rehearse.reset.apply_context import Context
from rehearse.reset.apply_metadata import fetch_digests
from rehearse.reset.listed import listed
from rehearse.reset.newer_edits import UNGUARDED, Newer
from rehearse.reset.people import fetch_names

_NAMED = 4


def require_unmoved(context: Context, newer: Newer) -> None:
    """Raises StalePlan naming what moved: rows of the scope, by object and user, and components of the plan."""
    moved = [*_rows(context, newer), *_components(context)]
    if not moved:
        return
    raise StalePlan(
        f"{context.plan.sandbox} moved since the plan was made: {listed(moved, _NAMED, '; ')}.",
        "Make a new plan with `rehearse reset plan`, or add --keep-newer: what moved then stays as it is.",
    )


def _rows(context: Context, newer: Newer) -> Iterator[str]:
    """One sentence an object and a user: how many rows, and the first of them."""
    names = fetch_names(context.writer.reader, {by for rows in newer.values() for by in rows.values()})
    for object, rows in newer.items():
        if object in UNGUARDED:
            yield f"{object} {', '.join(sorted(rows)[:_NAMED])} was changed by {', '.join(sorted(set(rows.values())))}"
            continue
        counted = Counter(rows.values())
        first: Mapping[str, str] = {by: min(key for key, one in rows.items() if one == by) for by in counted}
        for by, count in counted.most_common():
            yield f"{count} row(s) of {object}, written by {names.get(by, by)} ({first[by]} …)"


def _components(context: Context) -> Iterator[str]:
    """Components of the plan that are neither as it saw them nor already as it wants them."""
    planned = [one for one in context.plan.actions if one.do in ("deploy", "destroy") and one.type not in UNGUARDED]
    current = fetch_digests(context, planned)
    moved = [one for one in planned if current.get((one.type, one.key)) not in (one.expects, one.goal)]
    by = _fetch_writers(context, {one.type for one in moved})
    for one in moved:
        who = by.get((one.type, one.key))
        yield f"{one.type} {one.key}, written by {who}" if who else f"{one.type} {one.key}"


def _fetch_writers(context: Context, types: Collection[str]) -> dict[tuple[str, str], str]:
    """Who last wrote each component of these types, as far as the org lists it; types in folders are not asked for."""
    reader = context.writer.reader
    found = {place: one.changed_by for place, one in fetch_part_authors(reader, types).items()}
    for type in sorted(set(types) - PARTS):
        with suppress(OrgRejected):
            found |= {(type, one.full_name): one.changed_by for one in reader.fetch_metadata_items(type)}
    return found
