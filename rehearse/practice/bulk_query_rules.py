"""What SOQL Bulk API 2.0 takes, decided when a job is made.

Refuses objects that Bulk does not serve (400 INVALIDENTITY) and grouping, OFFSET, TYPEOF, aggregates, FIELDS(),
sub-selects, address and geolocation compounds and base64 fields (400). The words of the compound refusal are real, the
code is Bulk 1's, and the other texts are made like it: no source has them (data.md 1.4 marks them unsure).
ORDER BY and LIMIT are taken: they only switch PK chunking off.
"""

from rehearse.practice.field_security import may
from rehearse.practice.http_errors import ApiError
from rehearse.practice.org_state import OrgState
from rehearse.practice.schema import COMPOUND_TYPES, ObjectDef
from rehearse.practice.soql_filters import require_filter
from rehearse.practice.soql_parse import Function, Item, Query, parse_soql
from rehearse.practice.soql_scope import Scope

REFUSED_OBJECTS = frozenset(
    "AcceptedEventRelation DeclinedEventRelation UndecidedEventRelation EventWhoRelation TaskWhoRelation Attachment"
    " AttachedContentNote CaseStatus ContractStatus OrderStatus SolutionStatus TaskStatus TaskPriority"
    " ServiceAppointmentStatus WorkOrderLineItemStatus PartnerRole RecentlyViewed FieldSecurityClassification"
    " QuoteTemplateRichTextData".lower().split()
)  # data.md 1.5


def refuse(what: str) -> ApiError:
    """The refusal of a SOQL construct."""
    return ApiError(400, "FUNCTIONALITY_NOT_ENABLED", f"{what} not supported in Bulk Query")


def check_entity(definition: ObjectDef) -> None:
    """Raise ApiError 400 INVALIDENTITY for an object that Bulk does not serve."""
    if not definition.bulk or not definition.queryable or definition.name.lower() in REFUSED_OBJECTS:
        raise ApiError(400, "INVALIDENTITY", f"Entity '{definition.name}' is not supported by the Bulk API.")


def check_query(org: OrgState, soql: str) -> str:
    """The name of the object that a query reads. Raises ApiError 400 for SOQL that Bulk refuses or nobody takes."""
    query = require_filter(parse_soql(soql))
    if str(query.source).lower() in REFUSED_OBJECTS:  # most of which nobody made here
        raise ApiError(400, "INVALIDENTITY", f"Entity '{query.source}' is not supported by the Bulk API.")
    with org.lock:
        definition = org.object(str(query.source))
        if not may(org, "read", definition):
            raise ApiError(400, "INVALIDENTITY", f"Entity '{definition.name}' is not supported by the Bulk API.")
        check_entity(definition)
        if query.group or query.having is not None:
            raise refuse("Group By is")
        if query.offset:
            raise refuse("Offset is")
        for item in query.items:
            _check_item(org, definition, query, item)
    return definition.name


def _check_item(org: OrgState, definition: ObjectDef, query: Query, item: Item | Function | Query) -> None:
    if isinstance(item, Query):
        raise refuse("Nested queries are")
    if isinstance(item, Function):
        if item.name == "FIELDS":
            raise refuse("The FIELDS function is")
        if item.name in ("TOLABEL", "FORMAT", "CONVERTCURRENCY"):
            return
        raise refuse("Aggregate functions are")
    column = Scope(org, definition, query.text).column(item.path)
    if column.field is None:
        return
    if column.field.type in COMPOUND_TYPES:
        raise ApiError(400, "FUNCTIONALITY_NOT_ENABLED", "Selecting compound data not supported in Bulk Query")
    if column.field.type == "base64":
        raise refuse(f"Binary field {column.field.name} is")
