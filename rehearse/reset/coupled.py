"""Fields that Salesforce couples: one of them written alone is refused, or changes the others, or two are together.

A state outside its country is refused, so an address is written whole and as codes; so is a picklist value under a
controlling value that does not show it, so both go together; a stage written alone resets probability and forecast
category (facts/data.md 4, rows 45 and 46). Of two prices that are made of each other only one may be written: the other
follows, and where it has not, it is written alone in the next pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rehearse.org.model import Schema

STAGE = ("StageName", "Probability", "ForecastCategoryName")
LINE = frozenset({"UnitPrice", "Quantity", "Discount"})
"""What a line of a deal makes its total of. A quantity without a price a piece changes that price (object reference,
OpportunityLineItem: when you update these records)."""


def with_coupled(fields: Iterable[str], schema: Schema, stored: Mapping[str, str | None]) -> tuple[str, ...]:
    """The fields to write, with those that are coupled to them and writable; names in order, each once.

    `stored` is the row of the baseline: an address that it holds without codes is written by its names.
    """
    wanted = set(fields)
    by_group: dict[str, set[str]] = {}
    for one in schema.fields:
        if one.compound_field and one.compound_field.endswith("Address"):
            by_group.setdefault(one.compound_field, set()).add(one.name)
    for group in by_group.values():
        codes = {name for name in group if name.endswith(("StateCode", "CountryCode")) and name in stored}
        if codes and wanted & group:
            wanted = (wanted - {name.removesuffix("Code") for name in codes}) | codes
    wanted |= {one for one in moved_along(schema.name, wanted) if one != "UnitPrice" or stored.get(one) is not None}
    wanted |= _dependent(wanted, schema)
    if len(wanted) > 1:
        wanted -= follows(schema.name, stored)
    return tuple(sorted(name for name in wanted if _writable(schema, name)))


def moved_along(object: str, names: Iterable[str]) -> frozenset[str]:
    """Fields that a write of these changes by itself, so that their old values are written with them."""
    wanted = set(names)
    if object == "Opportunity" and "StageName" in wanted:
        return frozenset(STAGE)
    return frozenset({"UnitPrice"} if object == "OpportunityLineItem" and wanted & LINE else ())


def follows(object: str, stored: Mapping[str, str | None]) -> frozenset[str]:
    """Fields of a row that no write may name along with what they are made of: the total of a deal's line beside its
    price a piece, the price of an entry that uses the standard price, the set that the platform keeps for a group of
    permission sets (object reference, OpportunityLineItem, PricebookEntry, PermissionSetAssignment)."""
    if object == "OpportunityLineItem" and stored.get("UnitPrice") is not None:
        return frozenset({"TotalPrice"})
    if object == "PricebookEntry" and stored.get("UseStandardPrice") == "true":
        return frozenset({"UnitPrice"})
    if object == "PermissionSetAssignment" and stored.get("PermissionSetGroupId") is not None:
        return frozenset({"PermissionSetId"})
    return frozenset()


def _dependent(wanted: set[str], schema: Schema) -> set[str]:
    """The fields that control a wanted picklist, or that one controls, however many steps away."""
    pairs = [(one.name, one.controller) for one in schema.fields if one.controller]
    found: set[str] = set()
    reached = set(wanted)
    while True:
        more = {other for pair in pairs for other in pair if reached.intersection(pair)} - reached
        if not more:
            return found
        found |= more
        reached |= more


def _writable(schema: Schema, name: str) -> bool:
    """A field that describe does not know yet is being redeployed by the same plan and will be writable."""
    known = schema.field(name)
    return known is None or known.updateable
