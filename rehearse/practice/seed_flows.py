"""The flows of the practice company, with their earlier versions.

An mdapi tree holds one version of a flow, so the history is a list of layers that are installed one after the other.
Invoice_Reminder is active in version 1 while its version 2 is a draft; Project_Last_Invoice touches other rows.
"""

from __future__ import annotations

from collections.abc import Sequence

from rehearse.practice.seed_xml import API_VERSION, Xml, render_component


def spot(name: str, label: str, x: int, y: int) -> dict[str, str | int]:
    """The head that every element of a flow has."""
    return {"name": name, "label": label, "locationX": x, "locationY": y}


def to(target: str) -> Xml:
    """A connector."""
    return {"targetReference": target}


def filter_on(field: str, how: str, **value: str | bool) -> Xml:
    """One filter of a start or an update; `value` is one typed value such as stringValue."""
    return {"field": field, "operator": how, "value": value}


def assign(field: str, **value: str | bool) -> Xml:
    """One input assignment; `value` as in filter_on, or elementReference."""
    return {"field": field, "value": value}


def update_records(head: Xml, target: str, where: Sequence[Xml], values: Sequence[Xml]) -> Xml:
    """A recordUpdates element over an object."""
    return {**head, "filterLogic": "and", "filters": list(where), "inputAssignments": list(values), "object": target}


def record_flow(label: str, start: Xml, updates: Sequence[Xml], status: str, note: str) -> bytes:
    """A record-triggered flow file."""
    body: Xml = {
        "apiVersion": API_VERSION,
        "description": note,
        "environments": "Default",
        "interviewLabel": f"{label} {{!$Flow.CurrentDateTime}}",
        "label": label,
        "processMetadataValues": [
            {"name": "BuilderType", "value": {"stringValue": "LightningFlowBuilder"}},
            {"name": "CanvasMode", "value": {"stringValue": "AUTO_LAYOUT_CANVAS"}},
        ],
        "processType": "AutoLaunchedFlow",
        "recordUpdates": list(updates),
        "start": start,
        "status": status,
    }
    return render_component("Flow", body)


def after_save(target: str, first: str, where: Sequence[Xml], when: str = "CreateAndUpdate") -> Xml:
    """The start of a flow that runs after a row was saved."""
    return {
        "locationX": 50,
        "locationY": 0,
        "connector": to(first),
        **({"filterLogic": "and", "filters": list(where)} if where else {}),
        "object": target,
        "recordTriggerType": when,
        "triggerType": "RecordAfterSave",
    }


def project_last_invoice() -> bytes:
    """An invoice that names a project leaves its date there: the effect on another row that a reset must know of."""
    update = update_records(
        spot("Remember_On_Project", "Remember on project", 176, 276),
        "Project__c",
        [filter_on("Id", "EqualTo", elementReference="$Record.Project__c")],
        [assign("LastInvoiceOn__c", elementReference="$Record.IssuedOn__c")],
    )
    start = after_save("Invoice__c", "Remember_On_Project", [filter_on("Project__c", "IsNull", booleanValue=False)])
    return record_flow("Project Last Invoice", start, [update], "Active", "Date of the last invoice.")


def invoice_reminder(version: int, status: str) -> bytes:
    """The reminder: version 1 marks overdue invoices, 2 spares disputed ones, 3 (of R41) also tells the account."""
    # Only when it becomes overdue: without that, every later write of the invoice would move its reminder.
    where = [
        filter_on("Status__c", "EqualTo", stringValue="Overdue"),
        filter_on("Status__c", "IsChanged", booleanValue=True),
    ]
    if version > 1:
        where.append(filter_on("Disputed__c", "EqualTo", booleanValue=False))
    updates = [
        update_records(
            {
                **spot("Stamp_Reminder", "Stamp reminder", 176, 276),
                **({"connector": to("Mark_Account")} if version > 2 else {}),
            },
            "Invoice__c",
            [filter_on("Id", "EqualTo", elementReference="$Record.Id")],
            [assign("RemindedAt__c", elementReference="$Flow.CurrentDateTime")],
        )
    ]
    if version > 2:
        updates.append(
            update_records(
                spot("Mark_Account", "Mark account", 176, 384),
                "Account",
                [filter_on("Id", "EqualTo", elementReference="$Record.Account__c")],
                [assign("Rating", stringValue="Cold")],
            )
        )
    note = f"Reminds of overdue invoices, as agreed with accounting (text {version})."
    return record_flow("Invoice Reminder", after_save("Invoice__c", "Stamp_Reminder", where), updates, status, note)


def case_greeting(version: int) -> bytes:
    """A case from a machine that stands still becomes urgent; the second version also writes a promise."""
    values = [assign("Priority", stringValue="High")]
    if version > 1:
        values.append(assign("Severity__c", stringValue="Standstill"))
    update = update_records(
        spot("Make_Urgent", "Make urgent", 176, 276),
        "Case",
        [filter_on("Id", "EqualTo", elementReference="$Record.Id")],
        values,
    )
    start = after_save("Case", "Make_Urgent", [filter_on("Reason", "EqualTo", stringValue="Breakdown")], "Create")
    return record_flow("Case Urgency", start, [update], "Active", f"Urgency of cases, text {version}.")


def visit_screen() -> bytes:
    """A screen flow that a technician starts by hand; never activated so far."""
    body: Xml = {
        "apiVersion": API_VERSION,
        "interviewLabel": "Plan a visit {!$Flow.CurrentDateTime}",
        "label": "Plan a Visit",
        "processType": "Flow",
        "screens": {
            **spot("Ask_Day", "Ask for the day", 176, 134),
            "allowBack": False,
            "allowFinish": True,
            "allowPause": False,
            "fields": {
                "name": "Day",
                "dataType": "Date",
                "fieldText": "Day",
                "fieldType": "InputField",
                "isRequired": True,
            },
            "showFooter": True,
            "showHeader": True,
        },
        "start": {"locationX": 50, "locationY": 0, "connector": to("Ask_Day")},
        "status": "Draft",
    }
    return render_component("Flow", body)


def build_flow_layers() -> list[dict[str, bytes]]:
    """The flows as they were installed over time: each layer makes a new version of the flows that it holds."""
    return [
        {
            "flows/Invoice_Reminder.flow": invoice_reminder(1, "Active"),
            "flows/Case_Urgency.flow": case_greeting(1),
            "flows/Project_Last_Invoice.flow": project_last_invoice(),
        },
        {
            "flows/Invoice_Reminder.flow": invoice_reminder(2, "Draft"),
            "flows/Case_Urgency.flow": case_greeting(2),
            "flows/Plan_a_Visit.flow": visit_screen(),
        },
    ]
