"""Prices that the platform makes of each other come back, although no call may write both of them."""

from typing import Any

OBJECTS = ("Opportunity", "OpportunityLineItem", "PricebookEntry")


def picture(lab: Any) -> dict[str, Any]:
    """Rows as the tables hold them, those under new Ids under their old ones, without when they were made."""
    back = {new: old for old, new in lab.ids.load().items()}
    return {
        back.get(id, id): {
            name: value for name, value in row.items() if name not in ("Id", "CreatedDate", "CreatedById")
        }
        for rows in lab.photograph(OBJECTS).rows.values()
        for id, row in rows.items()
    }


def test_prices_of_lines_and_of_price_book_entries_come_back(lab: Any) -> None:
    """Each way in which a team changes them; the judge is the practice org's own table."""
    products = lab.pick('"Product2" ORDER BY "Id" LIMIT 3')
    deals = lab.pick('"Opportunity" WHERE "StageName" = ? ORDER BY "Id" LIMIT 2', "Prospecting")
    standard, trade = lab.insert("Pricebook2", {"Name": "Standard"}, {"Name": "Trade", "IsActive": True})
    with lab.org.lock:
        lab.org.db.execute('UPDATE "Pricebook2" SET "IsStandard" = 1 WHERE "Id" = ?', (standard,))
    firsts = lab.insert(
        "PricebookEntry", *({"Pricebook2Id": standard, "Product2Id": one, "UnitPrice": 7.5} for one in products)
    )
    uses = {"Pricebook2Id": trade, "UseStandardPrice": True}
    entries = lab.insert("PricebookEntry", *({**uses, "Product2Id": one} for one in products))
    lab.update("PricebookEntry", {"Id": entries[2], "UseStandardPrice": False, "UnitPrice": 9})
    line = {"Quantity": 3, "UnitPrice": 3.33}
    lines = lab.insert(
        "OpportunityLineItem",
        *({**line, "OpportunityId": deal, "PricebookEntryId": entry} for deal in deals for entry in entries),
    )
    lab.update("OpportunityLineItem", {"Id": lines[4], "Discount": 10})
    before, was = lab.capture(objects=OBJECTS), picture(lab)

    lab.update("OpportunityLineItem", {"Id": lines[0], "UnitPrice": 8})
    lab.update("OpportunityLineItem", {"Id": lines[1], "Quantity": 7, "UnitPrice": 2})
    lab.update("OpportunityLineItem", {"Id": lines[2], "TotalPrice": 100})
    lab.update("OpportunityLineItem", {"Id": lines[3], "Quantity": 7})
    lab.delete(lines[4], hard=True)
    lab.update("PricebookEntry", {"Id": entries[0], "UseStandardPrice": False, "UnitPrice": 55})
    lab.update("PricebookEntry", {"Id": firsts[1], "UnitPrice": 6})
    lab.update("PricebookEntry", {"Id": entries[2], "UseStandardPrice": True})
    proof = lab.reset(before)

    assert picture(lab) == was
    assert (proof.verdict, proof.counts["residue"]) == ("clean-with-residue", 1)
    assert "failed" not in proof.counts


def test_the_amount_of_a_deal_that_got_its_first_products_comes_back(lab: Any) -> None:
    """While there are products it is their sum, which no call writes; once they are gone somebody has to write it."""
    (deal,) = lab.pick('"Opportunity" WHERE "StageName" = ? AND "Amount" > 1 ORDER BY "Id" LIMIT 1', "Prospecting")
    (product,) = lab.pick('"Product2" ORDER BY "Id" LIMIT 1')
    before, was = lab.capture(objects=("Opportunity", "OpportunityLineItem")), lab.value("Opportunity", deal, "Amount")
    lab.insert("OpportunityLineItem", {"OpportunityId": deal, "Product2Id": product, "Quantity": 3, "UnitPrice": 0.5})
    assert lab.value("Opportunity", deal, "Amount") == 1.5
    proof = lab.reset(before)
    assert lab.value("Opportunity", deal, "Amount") == was
    assert {(one.type, one.outcome) for one in proof.items} == {
        ("Opportunity", "restored"), ("OpportunityLineItem", "restored"),
    }  # fmt: skip
