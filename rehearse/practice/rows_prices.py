"""Prices that follow each other: of the lines of a deal, and of price book entries that use the standard price.

A line has a price a piece, a quantity, a discount and a total, and one of the two prices is always made of the other
[object reference, OpportunityLineItem and PricebookEntry; the words: reports of users]. Refuses both at once.
"""

from __future__ import annotations

from collections.abc import Mapping

from rehearse.practice.org_state import OrgState
from rehearse.practice.rows_values import RowError, Stored

WRONG = "FIELD_INTEGRITY_EXCEPTION"
Values = dict[str, Stored]


def price_line(values: Values, before: Mapping[str, Stored]) -> None:
    """Let total and price a piece of an opportunity's line follow each other; `before` is empty on insert.

    With a quantity alone the total stays, with a discount alone the price a piece. Raises RowError where both are given
    to a new line, or changed at once.
    """
    moved = {name for name, value in values.items() if value is not None and value != before.get(name)}
    if {"UnitPrice", "TotalPrice"} <= moved:
        if before:
            raise RowError(
                "INVALID_FIELD", "Cannot change both 'UnitPrice' and 'TotalPrice' in update call", ("UnitPrice",)
            )
        message = "field integrity exception: unknown (only one of unit price or total price may be specified)"
        raise RowError(WRONG, message, ())
    row = {**before, **values}
    share = _number(row.get("Quantity")) * (1 - _number(row.get("Discount")) / 100)
    by_total = "TotalPrice" in moved or ("Quantity" in moved and "UnitPrice" not in values and "TotalPrice" in row)
    if by_total and row.get("TotalPrice") is not None and share:
        values["UnitPrice"] = round(_number(row["TotalPrice"]) / share, 2)
    elif row.get("UnitPrice") is not None:
        values["TotalPrice"] = round(_number(row["UnitPrice"]) * share, 2)


def use_standard_price(org: OrgState, values: Values, before: Mapping[str, Stored]) -> None:
    """Give an entry that uses the standard price the price of its product in the standard price book.

    Raises RowError for one that is given a price of its own. An entry of the standard price book is left as it is
    (assumption: it is not looked at whether it says so of itself).
    """
    row = {**before, **values}
    if _is_standard(org, row.get("Pricebook2Id")):
        _tell_followers(org, row)
        return
    if not row.get("UseStandardPrice"):
        return
    if values.get("UnitPrice") is not None and values["UnitPrice"] != before.get("UnitPrice"):
        raise RowError(WRONG, "field integrity exception", ())
    sql = (
        'SELECT e."UnitPrice" FROM "PricebookEntry" e JOIN "Pricebook2" b ON b."Id" = e."Pricebook2Id" '
        'WHERE b."IsStandard" = 1 AND e."IsDeleted" = 0 AND e."Product2Id" = ?'
    )
    found = org.db.execute(sql, (row.get("Product2Id"),)).fetchone()
    if found is not None:
        values["UnitPrice"] = found[0]


def _tell_followers(org: OrgState, standard: Mapping[str, Stored]) -> None:
    """The entries that use a standard price have it too; that only their SystemModstamp tells is an assumption."""
    sql = (
        'UPDATE "PricebookEntry" SET "UnitPrice" = ?, "SystemModstamp" = ? '
        'WHERE "UseStandardPrice" = 1 AND "Product2Id" = ? AND "Pricebook2Id" <> ? AND "UnitPrice" IS NOT ?'
    )
    price = standard.get("UnitPrice")
    org.db.execute(sql, (price, org.stamp(), standard.get("Product2Id"), standard.get("Pricebook2Id"), price))


def _is_standard(org: OrgState, book: Stored) -> bool:
    found = org.db.execute('SELECT "IsStandard" FROM "Pricebook2" WHERE "Id" = ?', (book,)).fetchone()
    return found is not None and bool(found[0])


def _number(value: Stored) -> float:
    return float(value or 0)
