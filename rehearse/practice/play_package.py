"""The package of release R41 as an mdapi tree; plans/r41/package holds the same files, and a test holds them equal.

It adds an object, fields, a class, a trigger, a layout, a permission set; it changes fields, a rule, a view, a flow, a
class, a layout, a permission set, a profile, labels, an app; and it deletes a class, a view, a rule, a label, a report.
It leaves out what no deployment can take back: record types and picklist values.
"""

from __future__ import annotations

from rehearse.practice import play_code, seed_code, seed_pages
from rehearse.practice import seed_fields as f
from rehearse.practice.seed_access import granted, payments_team, permitted_objects
from rehearse.practice.seed_flows import invoice_reminder
from rehearse.practice.seed_objects import PAYMENT, compact_layout, custom_object, list_view, rule
from rehearse.practice.seed_xml import Xml, render_component, render_manifest

NEW_FIELDS = ("Payment__c.ClearedOn__c", "Payment__c.Route__c", "Payment__c.Run__c", "Payment__c.Urgent__c")
RUN_FIELDS = tuple(f"PaymentRun__c.{name}__c" for name in ("Bank", "Code", "Limit", "StartedAt", "State"))

PAYMENT_RUN = custom_object(
    "PaymentRun__c",
    "Payment Run",
    [
        f.key("Code__c", "Code", 20),
        f.lookup("Bank__c", "Bank", "Routing__c", "Runs"),
        f.plain("StartedAt__c", "Started at", "DateTime"),
        f.picklist("State__c", "State", ("Planned", "Sent", "Confirmed")),
        f.money("Limit__c", "Limit"),
    ],
    validationRules=[rule("Code_Is_Given", "ISBLANK(Code__c)", "A run needs a code.", "Code__c")],
    listViews=[list_view("All", "All", ("NAME", "Code__c", "State__c"))],
)

PAYMENT_PARTS: Xml = {
    "compactLayouts": [compact_layout("Payment_Head", "Payment head", ("Name", "Amount__c", "State__c", "Route__c"))],
    "fields": [
        f.plain("ClearedOn__c", "Cleared on", "Date"),
        f.plain("Note__c", "Note for the bank", "TextArea", inlineHelpText="At most four lines reach the bank."),
        f.number("Rate__c", "Rate of the day", (18, 8), description="From R41 on taken from the rates service."),
        f.lookup("Route__c", "Route", "Routing__c", "Payments"),
        f.lookup("Run__c", "Run", "PaymentRun__c", "Payments"),
        f.checkbox("Urgent__c", "Urgent"),
    ],
    "listViews": [
        list_view("Open_Payments", "Open payments", ("NAME", "Amount__c", "Route__c"), ("State__c", "equals", "Open")),
        list_view("Without_Route", "Without route", ("NAME", "Amount__c"), ("State__c", "notEqual", "Matched")),
    ],
    "validationRules": [
        rule("Amount_Given", "ISBLANK(Amount__c)", "A payment needs an amount, even if it is zero.", "Amount__c"),
        rule("Urgent_Has_Note", "AND(Urgent__c, ISBLANK(Note__c))", "Say why it is urgent.", "Note__c"),
    ],
}

INVOICE_PARTS: Xml = {
    "fields": [
        f.plain("DueOn__c", "Due on", "Date", inlineHelpText="From R41 on the run of this day collects the money."),
        f.lookup("PaymentRun__c", "Collected by", "PaymentRun__c", "Invoices"),
    ],
    "listViews": [list_view("In_A_Run", "In a run", ("NAME", "Status__c", "PaymentRun__c"))],
}

MEMBERS = {
    "ApexClass": ["PaymentRouter", "PaymentRouterTest", "PaymentRunBatch"],
    "ApexTrigger": ["PaymentTrigger"],
    "CompactLayout": ["Payment__c.Payment_Head"],
    "CustomApplication": ["Receivables"],
    "CustomField": [
        *NEW_FIELDS,
        "Payment__c.Note__c",
        "Payment__c.Rate__c",
        "Invoice__c.DueOn__c",
        "Invoice__c.PaymentRun__c",
    ],
    "CustomLabel": ["No_Route", "Run_Done"],
    "CustomObject": ["PaymentRun__c"],
    "CustomTab": ["PaymentRun__c"],
    "Flow": ["Invoice_Reminder"],
    "Layout": ["Payment__c-Payment Layout", "PaymentRun__c-Run Layout"],
    "ListView": ["Payment__c.Open_Payments", "Payment__c.Without_Route", "Invoice__c.In_A_Run"],
    "PermissionSet": ["Payments_Team", "Payment_Runs"],
    "Profile": ["Accounting", "Admin"],
    "Report": ["Receivables/Payment_Runs"],
    "StaticResource": ["CompanyLogo"],
    "ValidationRule": ["Payment__c.Amount_Given", "Payment__c.Urgent_Has_Note"],
}
DELETED = {
    "ApexClass": ["LegacyPaymentExport"],
    "CustomLabel": ["Visit_Done"],
    "ListView": ["Payment__c.Cheques"],
    "Report": ["Receivables/Cheques_Of_Old"],
    "ValidationRule": ["Project__c.Old_Budget_Limit"],
}


def _access(names: tuple[str, ...], edit: bool = True) -> list[Xml]:
    return [{"editable": edit, "field": name, "readable": True} for name in sorted(names)]


def _payments_team() -> Xml:
    body = dict(payments_team())
    old = body["fieldPermissions"]
    assert isinstance(old, list)
    fields = [*old, *_access(NEW_FIELDS)]
    body["fieldPermissions"] = fields
    body["userPermissions"] = granted("RunReports")
    return {key: body[key] for key in sorted(body)}


def _access_files() -> dict[str, bytes]:
    runs: Xml = {
        "description": "Starts payment runs.",
        "fieldPermissions": _access(RUN_FIELDS),
        "hasActivationRequired": False,
        "label": "Payment Runs",
        "objectPermissions": permitted_objects(("PaymentRun__c", "Routing__c")),
    }
    # A profile in a package carries what the package is about; the org merges it into its own.
    admin: Xml = {
        "custom": False,
        "fieldPermissions": _access((*NEW_FIELDS, *RUN_FIELDS, "Invoice__c.PaymentRun__c")),
        "objectPermissions": permitted_objects(("PaymentRun__c",), everything=True),
    }
    accounting: Xml = {
        "custom": True,
        "fieldPermissions": [*_access(("Payment__c.Rate__c",), edit=False), *_access(NEW_FIELDS)],
        "objectPermissions": permitted_objects(("PaymentRun__c",), edit=False),
    }
    return {
        "permissionsets/Payments_Team.permissionset": render_component("PermissionSet", _payments_team()),
        "permissionsets/Payment_Runs.permissionset": render_component("PermissionSet", runs),
        "profiles/Admin.profile": render_component("Profile", admin),
        "profiles/Accounting.profile": render_component("Profile", accounting),
    }


def _page_files() -> dict[str, bytes]:
    payment = (*seed_pages.LAYOUTS["Payment__c-Payment Layout"], "Route__c", "Run__c", "Urgent__c", "ClearedOn__c")
    run = ("Name", "Code__c", "Bank__c", "StartedAt__c", "State__c", "Limit__c")
    labels = [
        seed_pages.label("No_Route", "No bank takes this payment; ask the routing team."),
        seed_pages.label("Run_Done", "The run is finished 🎉"),
    ]
    tab: Xml = {"customObject": True, "motif": "Custom41: Red Cross"}
    columns = ("PaymentRun__c.Code__c", "PaymentRun__c.State__c")
    return {
        "layouts/Payment__c-Payment Layout.layout": render_component("Layout", seed_pages.layout(payment)),
        "layouts/PaymentRun__c-Run Layout.layout": render_component("Layout", seed_pages.layout(run)),
        "labels/CustomLabels.labels": render_component("CustomLabels", {"labels": labels}),
        "tabs/PaymentRun__c.tab": render_component("CustomTab", tab),
        "applications/Receivables.app": seed_pages.app((*seed_pages.TABS, "PaymentRun__c")),
        "reports/Receivables/Payment_Runs.report": seed_pages.report("Runs", "CustomEntity$PaymentRun__c", columns),
    }


def build_package() -> dict[str, bytes]:
    """Every file of the package, manifests included, sorted by path."""
    files = {
        "package.xml": render_manifest(MEMBERS),
        "destructiveChangesPost.xml": render_manifest(DELETED),
        "objects/PaymentRun__c.object": render_component("CustomObject", PAYMENT_RUN),
        "objects/Payment__c.object": render_component("CustomObject", PAYMENT_PARTS),
        "objects/Invoice__c.object": render_component("CustomObject", INVOICE_PARTS),
        "flows/Invoice_Reminder.flow": invoice_reminder(3, "Active"),
        **seed_code.apex_class("PaymentRouter", play_code.PAYMENT_ROUTER),
        **seed_code.apex_class("PaymentRouterTest", play_code.PAYMENT_ROUTER_TEST),
        **seed_code.apex_class("PaymentRunBatch", play_code.PAYMENT_RUN_BATCH),
        **seed_code.apex_trigger("PaymentTrigger", play_code.PAYMENT_TRIGGER),
        **seed_code.static_resource("CompanyLogo", play_code.LOGO.encode(), "image/svg+xml"),
        **_access_files(),
        **_page_files(),
    }
    return dict(sorted(files.items()))


def hand_change() -> dict[str, bytes]:
    """What the administrator does by hand during the rehearsal: the rule that refunds are negative is switched off."""
    rules = PAYMENT["validationRules"]
    assert isinstance(rules, list)
    (refund,) = (one for one in rules if one["fullName"] == "Refund_Below_Zero")
    body: Xml = {"validationRules": {**refund, "active": False}}
    return {
        "package.xml": render_manifest({"ValidationRule": ["Payment__c.Refund_Below_Zero"]}),
        "objects/Payment__c.object": render_component("CustomObject", body),
    }
