"""Rows that the platform makes along with the row above them: the first statuses of a campaign, for one.

A row that is inserted again gets new ones of these, and an org refuses a second one beside them. So before such a row
of the baseline is inserted, the one that the platform made is looked for, by what tells it from its like; it is taken
for the row that it stands for, the pair of Ids is kept, and the update that follows gives it the baseline's values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rehearse.errors import OrgRejected
from rehearse.reset.apply_context import Context
from rehearse.reset.batches import in_batches
from rehearse.reset.model import Action
from rehearse.reset.row_state import Values, canonical_row, scope_fields

TOLD_APART: Mapping[str, tuple[str, ...]] = {
    "AccountContactRelation": ("AccountId", "ContactId"),
    "AccountTeamMember": ("AccountId", "UserId"),
    "CampaignMemberStatus": ("CampaignId", "Label"),
    "CaseTeamMember": ("ParentId", "MemberId"),
    "ContentDocumentLink": ("ContentDocumentId", "LinkedEntityId"),
    "EmailMessageRelation": ("EmailMessageId", "RelationId", "RelationAddress", "RelationType"),
    "EventRelation": ("EventId", "RelationId"),
    "OpportunityContactRole": ("OpportunityId", "ContactId"),
    "OpportunityTeamMember": ("OpportunityId", "UserId"),
    "TaskRelation": ("TaskId", "RelationId"),
}
"""Object -> the fields that tell one row from another; the first names the row above (object reference)."""
_AT_ONCE = 100


def take_companions(context: Context, object: str, actions: Sequence[Action]) -> list[Action]:
    """The actions whose row still has to be inserted; of the others the pair of Ids is written."""
    names = TOLD_APART.get(object)
    stored = context.load_values(context.before, object, [one.key for one in actions]) if names else {}
    asked = {key: row for key, row in stored.items() if any(row.get(one) in context.ids for one in names or ())}
    if not names or not asked:
        return list(actions)
    fields = tuple(one for one in scope_fields(context.before, object) if one.name in names)
    made = _fetch_made(context, object, names, sorted({str(row[names[0]]) for row in asked.values() if row[names[0]]}))
    known = set(context.ids.values())
    fresh = {
        _mark(canonical_row(row, fields, context.back()), names): id for id, row in made.items() if id not in known
    }
    pairs = {
        key: fresh[mark]
        for key, row in context.canonical(asked, fields).items()
        if (mark := _mark(row, names)) in fresh
    }
    with context.id_map.database.begin() as connection:
        context.id_map.add(connection, pairs)
    context.take_ids()
    for action in (one for one in actions if one.key in pairs):
        context.note(action, "done", f"made by the platform as {pairs[action.key]}")
    return [one for one in actions if one.key not in pairs]


def _fetch_made(
    context: Context, object: str, names: Sequence[str], above: Sequence[str]
) -> dict[str, Mapping[str, str | int | float | bool | None]]:
    """Living rows below these rows of the baseline, by Id; none where the org cannot be asked."""
    found: dict[str, Mapping[str, str | int | float | bool | None]] = {}
    for batch in in_batches(above, _AT_ONCE):
        ids = ", ".join(f"'{context.live_id(one)}'" for one in batch)
        soql = f"SELECT Id, {', '.join(names)} FROM {object} WHERE {names[0]} IN ({ids})"
        try:
            found.update({str(row["Id"]): row for row in context.writer.reader.fetch_rows(soql)})
        except OrgRejected:
            return {}
    return found


def _mark(values: Values, names: Sequence[str]) -> tuple[str | None, ...]:
    return tuple(values.get(one) for one in names)
