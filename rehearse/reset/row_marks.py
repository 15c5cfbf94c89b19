"""What can be observed on one changed row that decides how it can be undone. Pure; the table of hazards judges.

Every function looks at values that a plan was given: it asks no org and guesses nothing. A mark is set only for what
was seen (`in-bin`, `autonumber`, `field-not-updateable`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from rehearse.baseline.model import Capture, Change, ComparableField
from rehearse.baseline.scope import BODY_TYPE, drifting_fields
from rehearse.ids import looks_like_id
from rehearse.org.model import Field, Schema
from rehearse.reset.activation import ACTIVATED_ONCE, CATEGORY, STATUS, is_activated
from rehearse.reset.inputs import PlanInputs, RowBook
from rehearse.reset.model import Action
from rehearse.reset.persons import made_of_others
from rehearse.reset.row_state import Values, scope_fields

_MADE_OF_OTHERS: Mapping[str, frozenset[str]] = {"Contract": frozenset({"EndDate"}), "Event": frozenset({"EndDate"})}
"""Dates that the platform makes of fields which come back, and that come back with them (object reference)."""
TEAMS = frozenset({"AccountTeamMember", "OpportunityTeamMember"})
"""Rows that no undelete takes whatever describe says, but with the row above them (SOAP API guide, undelete)."""
_WORD = re.compile(r"[A-Za-z0-9]{18}")


def differing_fields(inputs: PlanInputs, object: str, before: Values, after: Values) -> tuple[str, ...]:
    """The fields of the baseline whose value is not the live one; a field that is gone counts where it held a value."""
    names = [one.name for one in scope_fields(inputs.before, object) if one.name in before]
    return tuple(sorted(name for name in names if before[name] != after.get(name)))


def derived_fields(inputs: PlanInputs, change: Change) -> frozenset[str]:
    """Fields of an updated row that only the platform sets: they follow what they are derived from, never written.

    An Opportunity's Amount is one while it has products (Salesforce Help 004052228), and the name of a person account.
    A re-inserted row keeps its own. A custom field that somebody took from this login is none: it is written again.
    """
    schema, book = inputs.schemas.get(change.type), inputs.rows.get(change.type, RowBook())
    if schema is None or change.key in inputs.ids:
        return frozenset()
    found = {one.name for one in schema.fields if _of_platform(one)}
    sides = (book.before.get(change.key, {}), book.after.get(change.key, {}))
    if change.type == "Opportunity" and any(one.get("HasOpportunityLineItem") == "true" for one in sides):
        found.add("Amount")
    return frozenset(found) | made_of_others(change.type, *sides)


def _of_platform(field: Field) -> bool:
    return not (field.createable or field.updateable or field.is_master_detail or is_closed(field))


def is_closed(field: Field) -> bool:
    """Whether field-level security keeps this login from writing: of custom fields, the platform sets only numbers and
    what is calculated."""
    own = field.name.endswith(("__c", "__pc")) and not (field.calculated or field.auto_number)
    return own and not field.createable and not field.updateable and not field.is_master_detail


def closed_fields(names: Collection[str], schema: Schema | None) -> set[str]:
    """Those of these fields that this login may not write now."""
    return {one.name for one in schema.fields if one.name in names and is_closed(one)} if schema else set()


def platform_stamps(inputs: PlanInputs, object: str, names: Collection[str]) -> set[str]:
    """Those of these fields that hold an instant: the platform sets it anew when a row is closed again, and nothing
    writes it (Case.ClosedDate, Task.CompletedDateTime; Object reference)."""
    types = {one.name: one.type for one in scope_fields(inputs.before, object)}
    made = _MADE_OF_OTHERS.get(object, frozenset())
    return {one for one in names if types.get(one) in ("date", "datetime") and one not in made}


def update_marks(inputs: PlanInputs, change: Change, differing: Collection[str]) -> tuple[set[str], tuple[str, ...]]:
    """Marks of an updated row, and those of its differing fields that no update can write."""
    schema, book = inputs.schemas.get(change.type), inputs.rows.get(change.type, RowBook())
    after = book.after.get(change.key, {})
    marks: set[str] = set()
    fixed: list[str] = []
    derived = derived_fields(inputs, change)
    stamps = platform_stamps(inputs, change.type, derived.intersection(differing))
    if differing and derived.issuperset(differing):
        return {"platform-stamp" if stamps == set(differing) else "only-derived"}, ()
    if stamps:
        marks.add("platform-stamp")
    for name in (one for one in differing if one not in derived):
        known = schema.field(name) if schema else None
        if known is None:
            marks.add("field-lost")
        elif is_closed(known):
            marks.add("field-closed")
        elif not known.updateable:
            fixed.append(name)
            marks.add("reference-not-updateable" if known.is_master_detail else "field-not-updateable")
    known_fields = {one.name: one for one in schema.fields} if schema else {}
    platform = {name for name, one in known_fields.items() if not one.createable and not one.updateable}
    if fixed and change.key in inputs.ids and set(fixed) <= platform:
        marks = (marks - {"field-not-updateable"}) | {"only-platform-fields"}
    if change.type == "Lead" and "IsConverted" in differing and after.get("IsConverted") == "true":
        marks.add("converted")
    moved = {STATUS, CATEGORY}.intersection(differing)
    if change.type in ACTIVATED_ONCE and moved and is_activated(change.type, after):
        marks.add("activated")
    return marks, tuple(fixed)


def sum_warnings(inputs: PlanInputs, actions: Sequence[Action], known: Collection[str]) -> tuple[str, ...]:
    """What a plan has to say of whole objects, with what is known of single rows."""
    return tuple(sorted({*known, *retyped_fields(inputs), *_binned_values(inputs, actions)}))


def _binned_values(inputs: PlanInputs, actions: Sequence[Action]) -> Iterator[str]:
    """A warning for each unique field whose values go to the bin; whether they still count there no document says."""
    binned: dict[str, list[str]] = {}
    for one in actions:
        if one.do == "delete" and not one.hard:
            binned.setdefault(one.type, []).append(one.key)
    for object, keys in sorted(binned.items()):
        rows, stays = (
            inputs.rows.get(object, RowBook()).after,
            {one.name for one in scope_fields(inputs.before, object)},
        )
        for field in (one for one in _unique_fields(inputs, object) if one in stays):
            if held := sum(1 for key in keys if rows.get(key, {}).get(field)):
                yield (
                    f"{object}: {held:,} created row(s) go to the recycle bin with their {field}, which is unique: a "
                    "rehearsal that loads the same values may be refused until somebody empties the bin (else 15 days)."
                )


def retyped_fields(inputs: PlanInputs) -> Iterator[str]:
    """A warning for each object with fields that have another type than in the baseline, and so are not compared."""
    for scope in inputs.before.scope.objects:
        now, schema = set(scope_fields(inputs.after, scope.name)), inputs.schemas.get(scope.name)
        drifting = drifting_fields(schema) if schema else ()
        away = (one.name for one in scope.fields if one not in now and one.name not in drifting)
        names = sorted(one for one in away if schema and schema.field(one))
        if names and not unread(inputs, scope.name):
            yield (
                f"{scope.name}: {', '.join(names)} changed the type: what rows hold there that were empty in the "
                "baseline shows, and is emptied, once the type is back."
            )


def create_marks(inputs: PlanInputs, change: Change) -> set[str]:
    """Marks of a row that the baseline does not have."""
    schema, book = inputs.schemas.get(change.type), inputs.rows.get(change.type, RowBook())
    marks = set()
    if schema is not None and not schema.deletable:
        marks.add("not-deletable")
    if change.type in ACTIVATED_ONCE and is_activated(change.type, book.after.get(change.key, {})):
        marks.add("activated")
    filtered = any(one.name == change.type and one.where for one in inputs.before.scope.objects)
    if change.key in book.older and (filtered or not inputs.choices.delete_others):
        marks.add("older-than-baseline")
    return marks


def delete_marks(inputs: PlanInputs, change: Change) -> set[str]:
    """Marks of a row that is gone: where it is now, and what its object allows."""
    schema, book = inputs.schemas.get(change.type), inputs.rows.get(change.type, RowBook())
    marks: set[str] = set()
    if schema is None:
        renamed = {"object-renamed"} if ("CustomObject", change.type) in inputs.metadata.renamed else set()
        return {"object-lost", "hard-deleted", *renamed}
    if change.key in inputs.carriers:
        return {"carrier"}
    if change.key in book.buried:
        marks.add("buried")
    where = book.bin.get(change.key)
    if where == "bin":
        marks.add("in-bin" if schema.undeletable and change.type not in TEAMS else "not-undeletable")
    elif where == "absent":
        marks.add("hard-deleted")
    if not schema.createable:
        marks.add("not-createable")
    if any(one.auto_number for one in schema.fields):
        marks.add("autonumber")
    kept = {one.name for one in scope_fields(inputs.before, change.type)}
    if any(one.type == BODY_TYPE and not one.nillable and one.name not in kept for one in schema.fields):
        marks.add("contents-unknown")
    if "true" in [book.before.get(change.key, {}).get(one) for one in ("IsRecurrence", "IsRecurrence2")]:
        marks.add("recurring")
    return marks


def unread(inputs: PlanInputs, object: str) -> bool:
    """Whether the live capture could not ask for the rows of an object: its filter names a field that is gone."""
    return all(one.name != object for one in inputs.after.scope.objects)


def vanished(inputs: PlanInputs, object: str) -> bool:
    """Whether an object that had several rows shows none at all, not even in the bin: hidden sooner than deleted."""
    rows = {one.object: one.rows for one in inputs.before.objects}.get(object, 0)
    left = {one.object: one.rows for one in inputs.after.objects}.get(object, 0)
    places = set(inputs.rows.get(object, RowBook()).bin.values())
    return rows > 1 and not left and places == {"absent"} and object in inputs.schemas


def hides_rows(capture: Capture) -> bool:
    """Whether the login that captured surely lacks View All Data: a row that it does not see may live all the same."""
    return any(one.name == "(rows of others)" and one.state == "unreadable" for one in capture.coverage)


def creator_of(inputs: PlanInputs, change: Change) -> str:
    """The Id of the user who made a row; who touched it last where its object does not say; may be empty."""
    return inputs.rows.get(change.type, RowBook()).creators.get(change.key) or change.by


def is_foreign(inputs: PlanInputs, change: Change) -> bool:
    """Whether a row was created by somebody who took no part, and such rows are to stay."""
    choices = inputs.choices
    took_part = choices.participants is None or creator_of(inputs, change) in choices.participants
    return not took_part and not choices.delete_others


def holds_private_id(values: Values, names: Collection[str], fields: Collection[ComparableField]) -> bool:
    """Whether one of the named text fields carries something that has the shape of a Salesforce Id."""
    texts = {one.name for one in fields if one.type in ("string", "textarea", "url")}
    found = (values.get(name) or "" for name in names if name in texts)
    return any(looks_like_id(word) for text in found for word in _WORD.findall(text))


def clashing_rows(inputs: PlanInputs, created: Mapping[str, Change]) -> set[str]:
    """Created rows that hold a unique value which a row of the baseline needs back: proven clashes only."""
    return {key for key, _ in _holders(inputs, created)}


def unique_holders(
    inputs: PlanInputs, updates: Mapping[str, Action], changes: Mapping[str, Change]
) -> Iterator[tuple[str, str]]:
    """Updated rows, with the field, that hold a unique value which another row of the baseline needs back."""
    known = {key: changes[key] for key in updates if key in changes}
    return ((key, field) for key, field in _holders(inputs, known) if field in updates[key].fields)


def _holders(inputs: PlanInputs, changes: Mapping[str, Change]) -> Iterator[tuple[str, str]]:
    by_object: dict[str, list[str]] = {}
    for key, change in changes.items():
        by_object.setdefault(change.type, []).append(key)
    for object, keys in by_object.items():
        book = inputs.rows.get(object, RowBook())
        for field in _unique_fields(inputs, object):
            needed = _needed(book, field)
            for key in keys:
                held = _value(book.after.get(key, {}), field)
                if held is not None and needed.get(held, set()) - {key}:
                    yield key, field


def _needed(book: RowBook, field: str) -> dict[str, set[str]]:
    """Unique values, in lower case, that changed rows of the baseline need back, with the rows that need them."""
    needed: dict[str, set[str]] = {}
    for key, values in book.before.items():
        value = _value(values, field)
        if value is not None:
            needed.setdefault(value, set()).add(key)
    return needed


def _unique_fields(inputs: PlanInputs, object: str) -> tuple[str, ...]:
    schema = inputs.schemas.get(object)
    return tuple(one.name for one in schema.fields if one.unique) if schema else ()


def _value(values: Values, field: str) -> str | None:
    value = values.get(field)
    return None if value is None else value.lower()
