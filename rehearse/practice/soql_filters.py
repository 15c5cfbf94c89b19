"""Objects that answer no query without a filter on what they belong to: ContentDocumentLink and its kin.

The filter is one id with `=`, or several with IN, on ContentDocumentId or LinkedEntityId; other objects are free
[data.md 1.5; object reference, ContentDocumentLink]. FieldDefinition has a rule of its own in entity_tables.
"""

from __future__ import annotations

from rehearse.practice.http_errors import ApiError
from rehearse.practice.soql_parse import AllOf, Comparison, Condition, Path, Query

NEEDED = {"contentdocumentlink": ("contentdocumentid", "linkedentityid", "id")}
TEXT = (
    "Implementation restriction: ContentDocumentLink requires a filter by a single Id on ContentDocumentId or "
    "LinkedEntityId using the equals operator or multiple Id's using the IN operator."
)


def require_filter(query: Query) -> Query:
    """The same query. Raises ApiError MALFORMED_QUERY where its object needs a filter that it does not have."""
    needed = NEEDED.get(query.source.names[0].lower())
    if needed is not None and not _names_ids(query.where, needed):
        raise ApiError(400, "MALFORMED_QUERY", TEXT)
    return query


def _names_ids(condition: Condition | None, needed: tuple[str, ...]) -> bool:
    """Whether a condition can only hold for rows with given ids in one of the needed fields."""
    if isinstance(condition, AllOf):
        return any(_names_ids(part, needed) for part in condition.parts)
    if not isinstance(condition, Comparison) or not isinstance(condition.left, Path):
        return False
    return condition.left.names[-1].lower() in needed and condition.operator in ("=", "in")
