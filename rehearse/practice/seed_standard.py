"""What the practice company added to the standard objects: fields, record types, rules, views.

A retrieve of a standard object gives its custom parts only; so do these bodies.
"""

from __future__ import annotations

from rehearse.practice import seed_fields as f
from rehearse.practice.seed_objects import compact_layout, list_view, record_type, rule
from rehearse.practice.seed_xml import Xml

ACCOUNT: Xml = {
    "compactLayouts": [compact_layout("Customer_Head", "Customer head", ("Name", "Phone", "CustomerNumber__c"))],
    "fields": [
        f.money("CreditLimit__c", "Credit limit"),
        f.key("CustomerNumber__c", "Customer number", 20),
        f.roll_up("InvoiceCount__c", "Invoices", "Invoice__c.Account__c"),
        f.roll_up("Invoiced__c", "Invoiced", "Invoice__c.Account__c", "Invoice__c.Total__c"),
        f.lookup("KeyAccountManager__c", "Key account manager", "User", "KeyAccounts"),
        f.plain("LastInvoiceOn__c", "Last invoice", "Date"),
        f.roll_up(
            "OverdueCount__c",
            "Overdue invoices",
            "Invoice__c.Account__c",
            only=("Invoice__c.Status__c", "equals", "Overdue"),
        ),
        f.shared_picklist("Region__c", "Region", "Sales_Region"),
        f.picklist("Segment__c", "Segment", ("Harbour", "Water works", "Shipyard", "Food", "Other")),
        f.number("OpenCases__c", "Open cases", (6, 0)),
    ],
    "listViews": [
        list_view("Harbours", "Harbours", ("ACCOUNT.NAME", "Segment__c"), ("Segment__c", "equals", "Harbour")),
        list_view("No_Credit", "No credit", ("ACCOUNT.NAME",), ("CreditLimit__c", "lessOrEqual", "0")),
    ],
    "recordTypes": [
        record_type("Customer", "Customer", "Buys from us"),
        record_type("Supplier", "Supplier", "Sells to us"),
    ],
    "validationRules": [
        rule("Credit_Not_Negative", "CreditLimit__c < 0", "A credit limit is zero or more.", "CreditLimit__c")
    ],
}

CONTACT: Xml = {
    "fields": [
        f.text("BadgeNumber__c", "Badge number", 20, unique=True, caseSensitive=False),
        f.checkbox("Newsletter__c", "Newsletter"),
        f.picklist("Channel__c", "Preferred channel", ("Mail", "Phone", "Letter", "None"), restricted=False),
        f.text("Salute__c", "Form of address", 120),
    ],
    "listViews": [list_view("Newsletter_Readers", "Newsletter", ("FULL_NAME",), ("Newsletter__c", "equals", "1"))],
}

OPPORTUNITY: Xml = {
    "fields": [
        f.lookup("Project__c", "Project", "Project__c", "Opportunities"),
        f.picklist("Competitors__c", "Competitors", ("Norda", "Kesko Pumps", "Aquaflux", "None known"), many=True),
        f.plain("DecisionOn__c", "Decision on", "Date"),
        f.number("Margin__c", "Margin", (5, 2), "Percent"),
    ],
    "validationRules": [rule("Margin_Not_Negative", "Margin__c < 0", "Ask the head of sales.", "Margin__c")],
}

CASE: Xml = {
    "fields": [
        f.lookup("Machine__c", "Machine", "Machine__c", "Cases"),
        f.picklist("Severity__c", "Severity", ("Low", "Middle", "High", "Standstill")),
        f.long_text("Resolution__c", "Resolution"),
        f.plain("PromisedAt__c", "Promised at", "DateTime"),
    ],
    "listViews": [
        list_view("Standstill", "Standstill", ("CASES.CASE_NUMBER",), ("Severity__c", "equals", "Standstill"))
    ],
}

PRODUCT: Xml = {
    "fields": [
        f.key("ArticleNumber__c", "Article number", 20),
        f.number("Weight__c", "Weight in kg", (10, 3)),
        f.lookup("Successor__c", "Successor", "Product2", "Predecessors"),
    ],
}

OBJECTS: dict[str, Xml] = {
    "Account": ACCOUNT,
    "Contact": CONTACT,
    "Opportunity": OPPORTUNITY,
    "Case": CASE,
    "Product2": PRODUCT,
}
