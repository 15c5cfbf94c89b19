"""What people of the practice company see: layouts, tabs, the app, quick actions, reports, labels, value sets.

Everything names only fields that seed_objects, seed_work and seed_standard define, or standard ones; a test holds that.
"""

from __future__ import annotations

from collections.abc import Sequence

from rehearse.practice.seed_xml import Xml, render_component

LayoutItem = tuple[str, str]  # field, behaviour: Edit, Readonly, Required

LAYOUTS: dict[str, tuple[str, ...]] = {
    "Account-Customer Layout": (
        "Name",
        "CustomerNumber__c",
        "Segment__c",
        "Region__c",
        "CreditLimit__c",
        "Invoiced__c",
    ),
    "Account-Supplier Layout": ("Name", "Phone", "Website", "Region__c"),
    "Contact-Contact Layout": ("Name", "AccountId", "Email", "Phone", "Channel__c", "Newsletter__c"),
    "Opportunity-Opportunity Layout": ("Name", "AccountId", "StageName", "Amount", "Project__c", "Margin__c"),
    "Case-Case Layout": ("CaseNumber", "Subject", "Status", "Severity__c", "Machine__c", "Resolution__c"),
    "Invoice__c-Invoice Layout": (
        "Name",
        "Account__c",
        "Project__c",
        "Status__c",
        "IssuedOn__c",
        "DueOn__c",
        "Total__c",
    ),
    "Invoice__c-Credit Note Layout": ("Name", "Account__c", "CreditFor__c", "Total__c"),
    "InvoiceLine__c-Line Layout": ("Name", "Invoice__c", "Product__c", "Quantity__c", "UnitPrice__c", "Amount__c"),
    "Payment__c-Payment Layout": ("Name", "Invoice__c", "Account__c", "Amount__c", "ReceivedAt__c", "Reference__c"),
    "Routing__c-Routing Layout": ("Name", "Code__c", "Bank__c", "Priority__c", "Active__c"),
    "Project__c-Project Layout": (
        "Name",
        "Number__c",
        "Account__c",
        "Stage__c",
        "Budget__c",
        "Brief__c",
        "MemberCount__c",
    ),
    "ProjectMember__c-Member Layout": ("Name", "Project__c", "Contact__c", "Role__c", "Share__c"),
    "Machine__c-Machine Layout": ("Name", "SerialNumber__c", "Account__c", "State__c", "HoursRun__c"),
    "ServiceVisit__c-Visit Layout": ("Name", "Machine__c", "Case__c", "StartsAt__c", "Report__c"),
    "TriggerSwitch__c-Switch Layout": ("Name", "Active__c", "Remark__c"),
}

RELATED = {
    "Account-Customer Layout": ("Invoice__c.Account__c", "Project__c.Account__c", "Machine__c.Account__c"),
    "Invoice__c-Invoice Layout": ("InvoiceLine__c.Invoice__c", "Payment__c.Invoice__c"),
    "Project__c-Project Layout": ("ProjectMember__c.Project__c", "Project__c.Parent__c"),
    "Machine__c-Machine Layout": ("ServiceVisit__c.Machine__c",),
}
READ_ONLY = {"Invoiced__c", "Total__c", "MemberCount__c", "Number__c", "CaseNumber"}
TABS = ("Invoice__c", "Payment__c", "Project__c", "Machine__c", "Routing__c")


def layout(fields: Sequence[str], related: Sequence[str] = (), heading: str = "Information") -> Xml:
    """A layout with one section of two columns and these related lists."""
    items: list[Xml] = [{"behavior": "Readonly" if name in READ_ONLY else "Edit", "field": name} for name in fields]
    middle = (len(items) + 1) // 2
    section: Xml = {
        "customLabel": heading != "Information",
        "detailHeading": True,
        "editHeading": True,
        "label": heading,
        "layoutColumns": [{"layoutItems": items[:middle]}, {"layoutItems": items[middle:]}],
        "style": "TwoColumnsTopToBottom",
    }
    lists: list[Xml] = [{"fields": ["NAME"], "relatedList": name} for name in related]
    return {
        "layoutSections": [section],
        **({"relatedLists": lists} if lists else {}),
        "showEmailCheckbox": False,
        "showHighlightsPanel": False,
        "showInteractionLogPanel": False,
        "showRunAssignmentRulesCheckbox": False,
        "showSubmitAndAttachButton": False,
    }


def label(name: str, text: str, category: str = "Payments") -> Xml:
    """One custom label in English."""
    return {
        "fullName": name,
        "categories": category,
        "language": "en_US",
        "protected": False,
        "shortDescription": name.replace("_", " "),
        "value": text,
    }


def labels(hotline: str) -> list[Xml]:
    """Every label of the company; `hotline` is a number of its own."""
    return [
        label("Dunning_Firm", "Please pay within five days; after that we hand over to our lawyers."),
        label("Dunning_Friendly", "Perhaps it slipped your mind: our invoice is still open. Merci & Grüße!"),
        label("Hotline", hotline, "Service"),
        label("No_Route", "No bank takes this payment."),
        label("Thanks", "Thank you ♥ — “Tidewater” <payments@tidewater.example>"),
        label("Visit_Done", "The visit is finished.", "Service"),
    ]


def report(name: str, base: str, columns: Sequence[str], group: str = "") -> bytes:
    """A tabular report, or a summary where a grouping is named."""
    body: dict[str, object] = {
        "columns": [{"field": column} for column in columns],
        "format": "Summary" if group else "Tabular",
        **({"groupingsDown": {"dateGranularity": "Day", "field": group, "sortOrder": "Asc"}} if group else {}),
        "name": name,
        "reportType": base,
        "scope": "organization",
        "showDetails": True,
        "timeFrameFilter": {"dateColumn": "CUST_CREATED_DATE", "interval": "INTERVAL_CUSTOM"},
    }
    return render_component("Report", body)  # type: ignore[arg-type]


def report_folder(name: str) -> bytes:
    """A folder that everybody may read."""
    return render_component("ReportFolder", {"accessType": "Public", "name": name, "publicFolderAccess": "ReadOnly"})


def build_reports() -> dict[str, bytes]:
    """Two folders with their reports."""
    invoice, payment, project = "CustomEntity$Invoice__c", "CustomEntity$Payment__c", "CustomEntity$Project__c"
    machine = "CustomEntity$Machine__c"
    money = "Invoice__c.Total__c"
    return {
        "reports/Receivables-meta.xml": report_folder("Receivables"),
        "reports/Receivables/Open_Invoices.report": report("Open invoices", invoice, (money, "Invoice__c.DueOn__c")),
        "reports/Receivables/By_Status.report": report("Invoices by status", invoice, (money,), "Invoice__c.Status__c"),
        "reports/Receivables/Returned_Payments.report": report("Returned payments", payment, ("Payment__c.Amount__c",)),
        "reports/Receivables/Cheques_Of_Old.report": report("Cheques", payment, ("Payment__c.Reference__c",)),
        "reports/Service-meta.xml": report_folder("Service"),
        "reports/Service/Machines_Down.report": report("Machines down", machine, ("Machine__c.SerialNumber__c",)),
        "reports/Service/Projects_By_Stage.report": report(
            "Projects by stage", project, ("Project__c.Budget__c",), "Project__c.Stage__c"
        ),
    }


def quick_action(name: str, target: str, fields: Sequence[str], parent: str) -> Xml:
    """A quick action that creates a child row."""
    items: list[Xml] = [{"emptySpace": False, "field": one, "uiBehavior": "Edit"} for one in fields]
    return {
        "label": name,
        "optionsCreateFeedItem": False,
        "quickActionLayout": {
            "layoutSectionStyle": "TwoColumnsLeftToRight",
            "quickActionLayoutColumns": {"quickActionLayoutItems": items},
        },
        "targetObject": target,
        "targetParentField": parent,
        "type": "Create",
    }


def app(tabs: Sequence[str]) -> bytes:
    """The app of the accounting people with these tabs."""
    body: Xml = {
        "description": "Invoices and payments",
        "formFactors": ["Small", "Large"],
        "isNavAutoTempTabsDisabled": False,
        "label": "Receivables",
        "navType": "Standard",
        "tabs": ["standard-Account", *tabs],
        "uiType": "Lightning",
    }
    return render_component("CustomApplication", body)


def build_page_files(hotline: str) -> dict[str, bytes]:
    """Layouts, tabs, the app, quick actions, labels, value sets, reports."""
    files = {
        f"layouts/{name}.layout": render_component("Layout", layout(fields, RELATED.get(name, ())))
        for name, fields in LAYOUTS.items()
    }
    for index, name in enumerate(TABS):
        tab: Xml = {"customObject": True, "motif": f"Custom{20 + index}: Bell"}
        files[f"tabs/{name}.tab"] = render_component("CustomTab", tab)
    files["applications/Receivables.app"] = app(TABS)
    files["quickActions/Invoice__c.New_Line.quickAction"] = render_component(
        "QuickAction", quick_action("New line", "InvoiceLine__c", ("Position__c", "Quantity__c"), "Invoice__c")
    )
    files["quickActions/Machine__c.New_Visit.quickAction"] = render_component(
        "QuickAction", quick_action("New visit", "ServiceVisit__c", ("StartsAt__c", "Hours__c"), "Machine__c")
    )
    files["labels/CustomLabels.labels"] = render_component("CustomLabels", {"labels": labels(hotline)})
    regions = ("North", "East", "South", "West", "Overseas")
    values: list[Xml] = [{"fullName": one, "default": one == "North", "label": one} for one in regions]
    files["globalValueSets/Sales_Region.globalValueSet"] = render_component(
        "GlobalValueSet",
        {"customValue": values, "description": "Where we sell", "masterLabel": "Sales Region", "sorted": False},
    )
    return files | build_reports()
