"""The custom objects of the practice company that carry money: invoices, lines, payments, routing.

Invoice__c belongs to an account and adds up its lines; payments hold on to an invoice (restrict). The shapes are those
of a retrieved CustomObject. `OBJECTS` maps an object name to the body of its file; seed_work adds the other half.
"""

from __future__ import annotations

from collections.abc import Sequence

from rehearse.practice import seed_fields as f
from rehearse.practice.seed_xml import Xml, ordered


def custom_object(
    name: str, label: str, fields: Sequence[Xml], *, number: str = "", plural: str = "", **children: Sequence[Xml]
) -> Xml:
    """A custom object file: its own elements in retrieve order. `number` makes its Name an autonumber of that form."""
    detail = any(field["type"] == "MasterDetail" for field in fields)
    named: Xml = {"label": f"{label} Name", "type": "Text"}
    if number:
        named = {"displayFormat": number, "label": f"{label} Number", "trackHistory": False, "type": "AutoNumber"}
    body: dict[str, object] = {
        "allowInChatterGroups": False,
        "compactLayoutAssignment": "SYSTEM",
        "deploymentStatus": "Deployed",
        "description": f"{label}: part of the order-to-cash process of the company.",
        "enableActivities": not detail,
        "enableBulkApi": True,
        "enableFeeds": False,
        "enableHistory": False,
        "enableReports": True,
        "enableSearch": True,
        "enableSharing": True,
        "enableStreamingApi": True,
        "fields": sorted(fields, key=lambda one: str(one["fullName"])),
        "label": label,
        "nameField": named,
        "pluralLabel": plural or f"{label}s",
        "searchLayouts": {},
        "sharingModel": "ControlledByParent" if detail else "ReadWrite",
        **children,
    }
    return {key: body[key] for key in sorted(body)}  # type: ignore[misc]


def rule(name: str, condition: str, message: str, field: str = "", active: bool = True) -> Xml:
    """A validation rule: it refuses a row for which `condition` is true."""
    more = {"errorDisplayField": field} if field else {}
    return ordered(name, active=active, errorConditionFormula=condition, errorMessage=message, **more)


def list_view(name: str, label: str, columns: Sequence[str], *filters: tuple[str, str, str]) -> Xml:
    """A list view that everybody sees; a filter is (field, operation, value)."""
    chosen: list[Xml] = [{"field": field, "operation": how, "value": value} for field, how, value in filters]
    return {
        "fullName": name,
        "columns": list(columns),
        "filterScope": "Everything",
        **({"filters": chosen} if chosen else {}),
        "label": label,
    }


def record_type(name: str, label: str, description: str) -> Xml:
    """An active record type."""
    return ordered(name, active=True, description=description, label=label)


def compact_layout(name: str, label: str, fields: Sequence[str]) -> Xml:
    """A compact layout with these fields."""
    return {"fullName": name, "fields": list(fields), "label": label}


INVOICE = custom_object(
    "Invoice__c",
    "Invoice",
    [
        f.master("Account__c", "Account", "Account", "Invoices"),
        f.lookup("Project__c", "Project", "Project__c", "Invoices"),
        f.lookup("CreditFor__c", "Credit for", "Invoice__c", "Credits"),
        f.key("ExternalNumber__c", "Number in the ledger"),
        f.picklist("Status__c", "Status", ("Draft", "Sent", "Overdue", "Paid", "Cancelled")),
        f.plain("IssuedOn__c", "Issued on", "Date"),
        f.plain("DueOn__c", "Due on", "Date", inlineHelpText="The day on which the money should be there."),
        f.plain("RemindedAt__c", "Last reminder", "DateTime"),
        f.number("Discount__c", "Discount", (5, 2), "Percent"),
        f.money("Tax__c", "Tax"),
        f.checkbox("Disputed__c", "Disputed"),
        f.long_text("Terms__c", "Terms"),
        f.plain("BillingEmail__c", "Send to", "Email"),
        f.roll_up("Total__c", "Total", "InvoiceLine__c.Invoice__c", "InvoiceLine__c.Amount__c"),
        f.roll_up("LineCount__c", "Lines", "InvoiceLine__c.Invoice__c"),
        f.formula("Gross__c", "Total with tax", "Currency", "Total__c + Tax__c", precision=18, scale=2),
    ],
    number="INV-{000000}",
    validationRules=[
        rule("Due_After_Issued", "DueOn__c < IssuedOn__c", "An invoice cannot be due before it is issued.", "DueOn__c"),
        rule("Discount_Not_Negative", "Discount__c < 0", "A surcharge is a line of its own.", "Discount__c"),
    ],
    recordTypes=[
        record_type("Standard", "Standard invoice", "Goods and work delivered"),
        record_type("Credit_Note", "Credit note", "Takes back an invoice or a part of it"),
    ],
    listViews=[
        list_view("All", "All", ("NAME", "Account__c", "Status__c", "Total__c")),
        list_view("Overdue", "Overdue", ("NAME", "DueOn__c", "Gross__c"), ("Status__c", "equals", "Overdue")),
    ],
    compactLayouts=[compact_layout("Invoice_Head", "Invoice head", ("Name", "Status__c", "DueOn__c"))],
    fieldSets=[
        {
            "fullName": "Dunning",
            "description": "What the reminder letter prints",
            "displayedFields": [
                {"field": name, "isFieldManaged": False, "isRequired": False}
                for name in ("Name", "DueOn__c", "Gross__c")
            ],
            "label": "Dunning",
        }
    ],
    webLinks=[
        {
            "fullName": "Open_In_Ledger",
            "availability": "online",
            "displayType": "button",
            "encodingKey": "UTF-8",
            "linkType": "url",
            "masterLabel": "Open in ledger",
            "openType": "newWindow",
            "protected": False,
            "requireRowSelection": False,
            "url": "https://ledger.tidewater.example/invoice/{!Invoice__c.ExternalNumber__c}",
        }
    ],
)

INVOICE_LINE = custom_object(
    "InvoiceLine__c",
    "Invoice Line",
    [
        f.master("Invoice__c", "Invoice", "Invoice__c", "Lines"),
        f.lookup("Product__c", "Product", "Product2", "InvoiceLines"),
        f.number("Position__c", "Position", (4, 0)),
        f.number("Quantity__c", "Quantity", (12, 3)),
        f.money("UnitPrice__c", "Unit price"),
        f.money("Amount__c", "Amount"),
        f.plain("Text__c", "Text", "TextArea"),
        f.picklist("Unit__c", "Unit", ("piece", "hour", "metre", "kg"), restricted=False),
    ],
    validationRules=[rule("Quantity_Not_Zero", "Quantity__c = 0", "A line needs a quantity.", "Quantity__c")],
)

PAYMENT = custom_object(
    "Payment__c",
    "Payment",
    [
        f.lookup("Invoice__c", "Invoice", "Invoice__c", "Payments", "Restrict"),
        f.lookup("Account__c", "Paid by", "Account", "Payments"),
        f.lookup("RefundOf__c", "Refund of", "Payment__c", "Refunds"),
        f.text("Reference__c", "Bank reference", 40, unique=True, caseSensitive=True),
        f.money("Amount__c", "Amount"),
        f.number("Rate__c", "Exchange rate", (18, 8)),
        f.plain("ReceivedAt__c", "Received at", "DateTime"),
        f.plain("ValueDate__c", "Value date", "Date"),
        f.picklist("Method__c", "Method", ("Transfer", "Direct debit", "Card", "Cheque")),
        f.picklist("State__c", "State", ("Open", "Matched", "Returned")),
        f.plain("Note__c", "Note", "TextArea"),
        f.encrypted("CardTail__c", "Card ending"),
    ],
    number="PAY-{00000}",
    validationRules=[
        rule("Amount_Given", "ISBLANK(Amount__c)", "A payment needs an amount.", "Amount__c"),
        rule(
            "Refund_Below_Zero", "AND(NOT(ISBLANK(RefundOf__c)), Amount__c > 0)", "A refund is negative.", "Amount__c"
        ),
    ],
    listViews=[
        list_view("All", "All", ("NAME", "Amount__c", "State__c")),
        list_view("Open_Payments", "Open payments", ("NAME", "Amount__c"), ("State__c", "equals", "Open")),
        list_view("Cheques", "Cheques", ("NAME", "Amount__c"), ("Method__c", "equals", "Cheque")),
    ],
    compactLayouts=[compact_layout("Payment_Head", "Payment head", ("Name", "Amount__c", "State__c"))],
)

ROUTING = custom_object(
    "Routing__c",
    "Routing Rule",
    [
        f.key("Code__c", "Code", 20),
        f.text("Bank__c", "Bank", 60),
        f.shared_picklist("Region__c", "Region", "Sales_Region"),
        f.number("Priority__c", "Priority", (3, 0)),
        f.money("UpTo__c", "Up to"),
        f.checkbox("Active__c", "Active", True),
        f.plain("Remark__c", "Remark", "TextArea"),
    ],
    validationRules=[rule("Code_Is_Given", "ISBLANK(Code__c)", "A routing rule needs a code.", "Code__c")],
    listViews=[list_view("All", "All", ("NAME", "Code__c", "Priority__c"))],
)

OBJECTS: dict[str, Xml] = {
    "Invoice__c": INVOICE,
    "InvoiceLine__c": INVOICE_LINE,
    "Payment__c": PAYMENT,
    "Routing__c": ROUTING,
}
