"""Who may do what in the practice company: profiles, permission sets, queues, roles; and what stands around it.

A profile names every field that is not required and no master (Salesforce refuses both); a permission set is complete.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rehearse.practice import seed_objects, seed_standard, seed_work
from rehearse.practice.seed_xml import Xml, render_component

ALL_OBJECTS: dict[str, Xml] = {**seed_standard.OBJECTS, **seed_objects.OBJECTS, **seed_work.OBJECTS}
READ_ONLY_TYPES = {"Summary", "AutoNumber"}
COMPANY = "Tidewater Pumps"
MONEY = ("Invoice__c", "InvoiceLine__c", "Payment__c", "Routing__c")
SERVICE = ("Machine__c", "ServiceVisit__c", "Project__c", "ProjectMember__c")


def permitted_fields(objects: Sequence[str], edit: bool = True) -> list[Xml]:
    """Field permissions for the custom fields of these objects, in name order."""
    found: list[tuple[str, bool]] = []
    for name in objects:
        fields = ALL_OBJECTS[name]["fields"]
        assert isinstance(fields, Sequence)
        for field in fields:
            assert isinstance(field, Mapping)
            if field["type"] == "MasterDetail" or field.get("required") is True:
                continue
            computed = field["type"] in READ_ONLY_TYPES or "formula" in field
            found.append((f"{name}.{field['fullName']}", edit and not computed))
    return [{"editable": may_edit, "field": name, "readable": True} for name, may_edit in sorted(found)]


def permitted_objects(objects: Sequence[str], edit: bool = True, everything: bool = False) -> list[Xml]:
    """Object permissions; `everything` adds delete, view all and modify all."""
    return [
        {
            "allowCreate": edit,
            "allowDelete": everything,
            "allowEdit": edit,
            "allowRead": True,
            "modifyAllRecords": everything,
            "object": name,
            "viewAllRecords": everything,
        }
        for name in sorted(objects)
    ]


def granted(*names: str) -> list[Xml]:
    """User permissions that are on."""
    return [{"enabled": True, "name": name} for name in sorted(names)]


def profile(objects: Sequence[str], *, edit: bool, admin: bool, permissions: Sequence[str]) -> bytes:
    """A profile over these objects; the layouts of invoices follow the record type."""
    custom = [name for name in objects if name != "Automation__c"]
    chosen: list[Xml] = [{"layout": "Invoice__c-Invoice Layout"}] if "Invoice__c" in objects else []
    if chosen:
        chosen.append({"layout": "Invoice__c-Credit Note Layout", "recordType": "Invoice__c.Credit_Note"})
    body: Xml = {
        "applicationVisibilities": [{"application": "Receivables", "default": False, "visible": bool(chosen)}],
        "classAccesses": [{"apexClass": name, "enabled": admin} for name in ("InvoiceTotals", "PaymentRouter")],
        "custom": not admin,
        "fieldPermissions": permitted_fields(objects, edit),
        **({"layoutAssignments": chosen} if chosen else {}),
        "objectPermissions": permitted_objects(custom, edit, admin),
        "tabVisibilities": [
            {"tab": name, "visibility": "DefaultOn"} for name in ("Invoice__c", "Payment__c") if name in objects
        ],
        "userLicense": "Salesforce",
        "userPermissions": granted(*permissions),
    }
    return render_component("Profile", body)


def permission_set(label: str, description: str, objects: Sequence[str], more: Xml | None = None) -> Xml:
    """A permission set over these objects; `more` adds or replaces elements."""
    body: dict[str, object] = {
        "description": description,
        "fieldPermissions": permitted_fields(objects),
        "hasActivationRequired": False,
        "label": label,
        "objectPermissions": permitted_objects(objects),
        **(more or {}),
    }
    return {key: body[key] for key in sorted(body)}  # type: ignore[misc]


def payments_team() -> Xml:
    """The permission set that release R41 changes."""
    more: Xml = {
        "classAccesses": [{"apexClass": "PaymentRouter", "enabled": True}],
        "tabSettings": [{"tab": "Payment__c", "visibility": "Visible"}],
    }
    return permission_set("Payments Team", "Works with payments and their routing.", ("Payment__c", "Routing__c"), more)


def build_permission_sets() -> dict[str, bytes]:
    """Four permission sets, one of them with the custom permission that switches automation off."""
    bypass: Xml = {
        "customPermissions": [{"enabled": True, "name": "Bypass_Automation"}],
        "description": "For loading data: automation is off for whoever holds it.",
        "hasActivationRequired": False,
        "label": "Data Loading",
        "userPermissions": granted("ApiEnabled", "BulkApiHardDelete"),
    }
    sets: dict[str, Xml] = {
        "Payments_Team": payments_team(),
        "Service_Team": permission_set("Service Team", "Machines and visits.", SERVICE),
        "Data_Loading": bypass,
        "Read_Receivables": {
            "description": "May look at invoices.",
            "fieldPermissions": permitted_fields(("Invoice__c",), edit=False),
            "hasActivationRequired": False,
            "label": "Read Receivables",
            "objectPermissions": permitted_objects(("Account", "Invoice__c"), edit=False),
        },
    }
    return {
        f"permissionsets/{name}.permissionset": render_component("PermissionSet", body) for name, body in sets.items()
    }


def build_profiles() -> dict[str, bytes]:
    """Administrator, sales, accounting and service."""
    everything = tuple(ALL_OBJECTS)
    money = ("Account", *MONEY)
    sales = ("Account", "Contact", "Opportunity", "Project__c", "ProjectMember__c")
    api = "ApiEnabled"
    return {
        "profiles/Admin.profile": profile(
            everything, edit=True, admin=True, permissions=(api, "ModifyAllData", "ViewAllData", "ManageUsers")
        ),
        "profiles/Sales.profile": profile(sales, edit=True, admin=False, permissions=(api, "RunReports")),
        "profiles/Accounting.profile": profile(money, edit=True, admin=False, permissions=("RunReports",)),
        "profiles/Service.profile": profile(("Account", "Case", *SERVICE), edit=True, admin=False, permissions=(api,)),
    }


def _queue(name: str, email: str, sobject: str) -> bytes:
    body: Xml = {
        "doesSendEmailToMembers": False,
        "email": email,
        "name": name,
        "queueSobject": [{"sobjectType": sobject}],
    }
    return render_component("Queue", body)


def _role(name: str, parent: str = "") -> bytes:
    body: Xml = {
        "caseAccessLevel": "Edit",
        "contactAccessLevel": "Edit",
        "description": f"The {name.lower()} of {COMPANY}",
        "mayForecastManagerShare": False,
        "name": name,
        "opportunityAccessLevel": "Edit",
        **({"parentRole": parent} if parent else {}),
    }
    return render_component("Role", body)


def _invoice_workflow() -> bytes:
    update: Xml = {
        "fullName": "Mark_Disputed",
        "field": "Disputed__c",
        "literalValue": "1",
        "name": "Mark disputed",
        "notifyAssignee": False,
        "operation": "Literal",
        "protected": False,
        "reevaluateOnChange": False,
    }
    rule: Xml = {
        "fullName": "Large discount",
        "actions": {"name": "Mark_Disputed", "type": "FieldUpdate"},
        "active": False,
        "criteriaItems": {"field": "Invoice__c.Discount__c", "operation": "greaterThan", "value": "40"},
        "description": "Large discounts are looked at by a person.",
        "triggerType": "onCreateOrTriggeringUpdate",
    }
    return render_component("Workflow", {"fieldUpdates": [update], "rules": [rule]})


def build_access_files() -> dict[str, bytes]:
    """Every file of this module."""
    files = build_profiles() | build_permission_sets()
    files["customPermissions/Bypass_Automation.customPermission"] = render_component(
        "CustomPermission", {"description": "Triggers and flows stand aside.", "isLicensed": False, "label": "Bypass"}
    )
    files["queues/Service_Desk.queue"] = _queue("Service Desk", "desk@tidewater.example", "Case")
    files["queues/Claims.queue"] = _queue("Claims", "claims@tidewater.example", "Case")
    files["queues/New_Leads.queue"] = _queue("New Leads", "leads@tidewater.example", "Lead")
    files["groups/Board.group"] = render_component("Group", {"doesIncludeBosses": True, "name": "Board"})
    files["roles/Head_Office.role"] = _role("Head Office")
    files["roles/Sales_Lead.role"] = _role("Sales Lead", "Head_Office")
    files["roles/Accounting_Lead.role"] = _role("Accounting Lead", "Head_Office")
    files["workflows/Invoice__c.workflow"] = _invoice_workflow()
    for name, url in (("Ledger", "https://ledger.tidewater.example"), ("Rates", "https://rates.tidewater.example")):
        site: Xml = {"description": name, "disableProtocolSecurity": False, "isActive": True, "url": url}
        files[f"remoteSiteSettings/{name}.remoteSite"] = render_component("RemoteSiteSetting", site)
    maps: Xml = {"activateRSS": False, "versionNumber": "3.12"}
    files["installedPackages/tidemaps.installedPackage"] = render_component("InstalledPackage", maps)
    files["settings/Case.settings"] = render_component(
        "CaseSettings",
        {"defaultCaseOwner": "Service_Desk", "defaultCaseOwnerType": "Queue", "notifyOwnerOnNewComment": True},
    )
    return files
