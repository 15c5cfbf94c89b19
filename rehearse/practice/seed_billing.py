"""Invoices, lines, payments, routing rules and the switches: the rows of the custom objects that carry money.

Every row obeys the validation rules of seed_objects, so that a reset may write it again. Totals are roll-ups.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from rehearse.practice import seed_words as words
from rehearse.practice.seed_pen import Pen, Row, any_instant
from rehearse.practice.seed_sales import REGIONS

RATES = (1, 0.00000001, 1.13456789, 9_999_999_999.5, None)


def invoices(pen: Pen) -> Iterator[Row]:
    """Invoices of accounts; every fifteenth is a credit note for an earlier one."""
    rng = pen.rng
    for index, row_id in pen.reserve("Invoice__c"):
        issued = pen.day(last=date(2026, 10, 20))
        credit = pen.earlier("Invoice__c", index, 1.0) if index % 15 == 14 else None
        kind = "Credit_Note" if credit else "Standard"
        yield {
            "Id": row_id,
            "Account__c": pen.some("Account"),
            "Project__c": pen.maybe("Project__c", 0.4),
            "CreditFor__c": credit,
            "RecordTypeId": pen.record_types[f"Invoice__c.{kind}"],
            "ExternalNumber__c": f"L{2019 + index % 8}/{index + 1:05d}" if index % 6 else None,
            "Status__c": rng.choice(("Draft", "Sent", "Overdue", "Paid", "Paid", "Cancelled")),
            "IssuedOn__c": issued.isoformat(),
            "DueOn__c": (issued + timedelta(days=rng.choice((0, 14, 30, 90)))).isoformat() if index % 7 else None,
            "RemindedAt__c": any_instant(rng) if index % 5 == 0 else None,
            "Discount__c": rng.choice((None, 0, 2, 12.75, 100)),
            "Tax__c": rng.choice((None, 0, pen.money(9000))),
            "Disputed__c": index % 13 == 3,
            "Terms__c": words.pick_note(rng, index),
            "BillingEmail__c": f"bills@firm{index % 53}.example" if index % 2 else None,
            **pen.stamps(owned=False),
        }


def lines(pen: Pen) -> Iterator[Row]:
    """Lines, spread over all invoices so that each has at least one while there are enough."""
    rng = pen.rng
    owners = pen.ids["Invoice__c"]
    for index, row_id in pen.reserve("InvoiceLine__c"):
        quantity = rng.choice((1, 2, 0.001, -1, 12.5, 99_999_999.999))
        price = rng.choice((0, 0.01, pen.money(40), pen.money(40_000)))
        large = quantity > 1_000_000
        yield {
            "Id": row_id,
            "Name": f"{rng.choice(words.PUMPS)} {words.TRICKY_LINES[index % len(words.TRICKY_LINES)]}"[:80].strip(),
            "Invoice__c": owners[index % len(owners)],
            "Product__c": pen.maybe("Product2", 0.9),
            "Position__c": index // len(owners) + 1,
            "Quantity__c": quantity,
            "UnitPrice__c": price,
            "Amount__c": None if index % 31 == 30 else 0.01 if large else round(quantity * price, 2),
            "Text__c": words.TRICKY[index % len(words.TRICKY)] if index % 3 == 0 else None,
            "Unit__c": rng.choice(("piece", "hour", "metre", "kg", "barrel", None)),
            **pen.stamps(owned=False),
        }


def payments(pen: Pen) -> Iterator[Row]:
    """Payments; every twelfth is a refund of an earlier one, some belong to no invoice yet."""
    rng = pen.rng
    for index, row_id in pen.reserve("Payment__c"):
        refund = pen.earlier("Payment__c", index, 1.0) if index % 12 == 11 else None
        amount = pen.money(60_000)
        yield {
            "Id": row_id,
            "Invoice__c": pen.maybe("Invoice__c", 0.85),
            "Account__c": pen.maybe("Account", 0.9),
            "RefundOf__c": refund,
            # Compared with case: abc and ABC are two references.
            "Reference__c": (f"ref{index // 2}" if index % 2 else f"REF{index // 2}") if index % 10 else None,
            "Amount__c": -amount if refund else rng.choice((amount, amount, 0, 9_999_999_999_999.99)),
            "Rate__c": RATES[index % len(RATES)],
            "ReceivedAt__c": any_instant(rng) if index % 4 else None,
            "ValueDate__c": pen.day().isoformat() if index % 3 else None,
            "Method__c": rng.choice(("Transfer", "Direct debit", "Card", "Cheque")),
            "State__c": rng.choice(("Open", "Matched", "Matched", "Returned")),
            "Note__c": words.TRICKY[index % len(words.TRICKY)] if index % 2 else None,
            "CardTail__c": f"{rng.randrange(10000):04d}" if index % 6 == 0 else None,
            **pen.stamps(),
        }


def routings(pen: Pen) -> Iterator[Row]:
    """The routing rules that R41's upsert finds (R-01 to R-14)."""
    rng = pen.rng
    pen.counts["Routing__c"] = 14
    for index, row_id in pen.reserve("Routing__c"):
        yield {
            "Id": row_id,
            "Name": f"Route {index + 1}",
            "Code__c": f"R-{index + 1:02d}",
            "Bank__c": rng.choice(("Bank of the Bay", "Norden Sparkasse", "Crédit du Quai", None)),
            "Region__c": REGIONS[index % len(REGIONS)],
            "Priority__c": index % 4 + 1,
            "UpTo__c": rng.choice((None, 1000, 50_000)),
            "Active__c": index % 5 != 4,
            "Remark__c": words.pick_note(rng, index),
            **pen.stamps(),
        }


def switches(pen: Pen) -> Iterator[Row]:
    """The trigger switches, on."""
    pen.counts["TriggerSwitch__c"] = 2
    for index, row_id in pen.reserve("TriggerSwitch__c"):
        name = ("all", "invoices")[index]
        yield {"Id": row_id, "Name": name, "Active__c": True, "Remark__c": None, **pen.stamps()}


def settings(pen: Pen) -> Iterator[Row]:
    """The organisation's default of the custom setting: automation is on."""
    pen.counts["Automation__c"] = 1
    for _, row_id in pen.reserve("Automation__c"):
        stamps = pen.stamps(owned=False)
        yield {
            "Id": row_id,
            "Name": "Automation (Organization)",
            "SetupOwnerId": pen.org.org_id,
            "Off__c": False,
            **stamps,
        }
