"""Random deployments over the public wire, as a release would make them; what the org refuses is no matter."""

import random
from typing import Any

from rehearse.practice.play_client import Caller, PlayFailed, Seat

NS = 'xmlns="http://soap.sforce.com/2006/04/metadata"'
OBJECTS = ("Routing__c", "Machine__c", "Invoice__c", "Project__c", "Account", "Payment__c")


def manifest(members: dict[str, list[str]]) -> bytes:
    types = "".join(
        f"<types>{''.join(f'<members>{name}</members>' for name in names)}<name>{type}</name></types>"
        for type, names in members.items()
    )
    return f'<?xml version="1.0"?><Package {NS}>{types}<version>67.0</version></Package>'.encode()


def hold(lab: Any, rng: random.Random, count: int) -> list[str]:
    """`count` random deployments; answers a line about each."""
    said: list[str] = []
    with Caller(Seat(lab.server.http_url, lab.server.estate.issue_token(lab.org, lab.user("admin")))) as caller:
        for place in range(count):
            act = rng.choice(ACTS)
            files, line = act(lab, rng, place)
            try:
                caller.deploy(files)
                said.append(f"deployed {line}")
            except PlayFailed as error:
                said.append(f"refused {line}: {str(error)[:200]}")
    return said


def _package(members: dict[str, list[str]], files: dict[str, str], gone: dict[str, list[str]]) -> dict[str, bytes]:
    made = {path: body.encode() for path, body in files.items()}
    more = {"destructiveChangesPost.xml": manifest(gone)} if gone else {}
    return {"package.xml": manifest(members), **made, **more}


def _object(name: str, inner: str) -> dict[str, str]:
    return {f"objects/{name}.object": f"<CustomObject {NS}>{inner}</CustomObject>"}


def add_field(lab: Any, rng: random.Random, place: int) -> tuple[dict[str, bytes], str]:
    object, name = rng.choice(OBJECTS), f"Extra{place}__c"
    kind = rng.choice(("Text", "Checkbox", "Number", "Date", "LongTextArea"))
    more = {
        "Text": "<length>40</length>",
        "Checkbox": "<defaultValue>true</defaultValue>",
        "Number": "<precision>18</precision><scale>4</scale>",
        "Date": "",
        "LongTextArea": "<length>5000</length><visibleLines>3</visibleLines>",
    }[kind]
    inner = f"<fields><fullName>{name}</fullName><label>Extra</label>{more}<type>{kind}</type></fields>"
    return _package({"CustomField": [f"{object}.{name}"]}, _object(object, inner), {}), f"field {object}.{name} {kind}"


def drop_field(lab: Any, rng: random.Random, place: int) -> tuple[dict[str, bytes], str]:
    name = rng.choice(("Routing__c.Bank__c", "Routing__c.Remark__c", "Machine__c.HoursRun__c", "Project__c.Hotline__c"))
    return _package({}, {}, {"CustomField": [name]}), f"deletion of {name}"


def change_rule(lab: Any, rng: random.Random, place: int) -> tuple[dict[str, bytes], str]:
    object, name = rng.choice(
        (("Routing__c", "Code_Is_Given"), ("Invoice__c", "Due_After_Issued"), ("Routing__c", "Extra_Rule"))
    )
    active = rng.choice(("true", "false"))
    inner = (
        f"<validationRules><fullName>{name}</fullName><active>{active}</active><errorConditionFormula>"
        f"{rng.choice(('FALSE', 'LEN(Name) = 1', 'TRUE'))}</errorConditionFormula>"
        f"<errorMessage>no {place}</errorMessage></validationRules>"
    )
    return _package({"ValidationRule": [f"{object}.{name}"]}, _object(object, inner), {}), f"rule {name} {active}"


def drop_rule(lab: Any, rng: random.Random, place: int) -> tuple[dict[str, bytes], str]:
    name = rng.choice(("Routing__c.Code_Is_Given", "Project__c.Old_Budget_Limit", "Invoice__c.Discount_Not_Negative"))
    return _package({}, {}, {"ValidationRule": [name]}), f"deletion of rule {name}"


def list_view(lab: Any, rng: random.Random, place: int) -> tuple[dict[str, bytes], str]:
    object = rng.choice(("Routing__c", "Machine__c"))
    columns = ["NAME", *rng.sample(["CREATED_DATE", "LAST_UPDATE", "OWNER.ALIAS"], 2)]
    inner = (
        "<listViews><fullName>All</fullName>"
        + "".join(f"<columns>{one}</columns>" for one in columns)
        + "<filterScope>Everything</filterScope><label>All</label></listViews>"
    )
    return _package({"ListView": [f"{object}.All"]}, _object(object, inner), {}), f"list view {object}.All"


def labels(lab: Any, rng: random.Random, place: int) -> tuple[dict[str, bytes], str]:
    name = rng.choice(("No_Route", "Visit_Done", "Extra_Label"))
    inner = (
        f"<labels><fullName>{name}</fullName><language>en_US</language><protected>false</protected>"
        f"<shortDescription>s</shortDescription><value>Text {place} ⚓</value></labels>"
    )
    body = f"<CustomLabels {NS}>{inner}</CustomLabels>"
    return _package({"CustomLabel": [name]}, {"labels/CustomLabels.labels": body}, {}), f"label {name}"


def drop_label(lab: Any, rng: random.Random, place: int) -> tuple[dict[str, bytes], str]:
    return _package({}, {}, {"CustomLabel": ["Visit_Done"]}), "deletion of a label"


def profile(lab: Any, rng: random.Random, place: int) -> tuple[dict[str, bytes], str]:
    name = rng.choice(("Accounting", "Admin"))
    field = rng.choice(("Payment__c.Note__c", "Routing__c.Remark__c", "Machine__c.Pressure__c", "Account.Region__c"))
    edit, read = rng.choice((("true", "true"), ("false", "true"), ("false", "false")))
    custom = "true" if name == "Accounting" else "false"
    inner = (
        f"<custom>{custom}</custom><fieldPermissions><editable>{edit}</editable><field>{field}</field>"
        f"<readable>{read}</readable></fieldPermissions>"
    )
    if rng.random() < 0.5:
        right = rng.choice(("RunReports", "ExportReport", "ApiEnabled"))
        inner += f"<userPermissions><enabled>true</enabled><name>{right}</name></userPermissions>"
    body = f"<Profile {NS}>{inner}</Profile>"
    files = {f"profiles/{name}.profile": body}
    return _package({"Profile": [name]}, files, {}), f"profile {name} {field} {edit} {read}"


def permission_set(lab: Any, rng: random.Random, place: int) -> tuple[dict[str, bytes], str]:
    name = rng.choice(("Payments_Team", "Extra_Set"))
    inner = (
        "<fieldPermissions><editable>true</editable><field>Routing__c.Remark__c</field><readable>true</readable>"
        f"</fieldPermissions><hasActivationRequired>false</hasActivationRequired><label>L {place}</label>"
    )
    body = f"<PermissionSet {NS}>{inner}</PermissionSet>"
    return _package({"PermissionSet": [name]}, {f"permissionsets/{name}.permissionset": body}, {}), f"set {name}"


def record_type(lab: Any, rng: random.Random, place: int) -> tuple[dict[str, bytes], str]:
    name, active = rng.choice((("Standard", "false"), (f"Extra{place}", "true")))
    inner = f"<recordTypes><fullName>{name}</fullName><active>{active}</active><label>{name}</label></recordTypes>"
    return _package({"RecordType": [f"Invoice__c.{name}"]}, _object("Invoice__c", inner), {}), f"record type {name}"


def picklist(lab: Any, rng: random.Random, place: int) -> tuple[dict[str, bytes], str]:
    values = ["Ordered", "Running", "Down", "Scrapped"]
    rng.shuffle(values)
    if rng.random() < 0.5:
        values.append(f"Extra{place}")
    listed = "".join(
        f"<value><fullName>{one}</fullName><default>{str(at == 0).lower()}</default><label>{one}</label></value>"
        for at, one in enumerate(values)
    )
    inner = (
        "<fields><fullName>State__c</fullName><label>State</label><required>false</required><type>Picklist</type>"
        f"<valueSet><restricted>true</restricted><valueSetDefinition><sorted>false</sorted>{listed}"
        "</valueSetDefinition></valueSet></fields>"
    )
    return _package({"CustomField": ["Machine__c.State__c"]}, _object("Machine__c", inner), {}), f"picklist {values}"


def flow(lab: Any, rng: random.Random, place: int) -> tuple[dict[str, bytes], str]:
    from rehearse.practice.seed_flows import case_greeting, invoice_reminder

    status = rng.choice(("Active", "Draft"))
    body = rng.choice((invoice_reminder(3, status), invoice_reminder(1, status)))
    if rng.random() < 0.3:
        made = {"package.xml": manifest({"Flow": ["Case_Urgency"]}), "flows/Case_Urgency.flow": case_greeting(1)}
        return made, "flow Case_Urgency"
    return {
        "package.xml": manifest({"Flow": ["Invoice_Reminder"]}),
        "flows/Invoice_Reminder.flow": body,
    }, f"flow {status}"


def new_object(lab: Any, rng: random.Random, place: int) -> tuple[dict[str, bytes], str]:
    name = f"Extra{place}__c"
    inner = (
        "<deploymentStatus>Deployed</deploymentStatus><label>Extra</label><nameField><label>Name</label>"
        "<type>Text</type></nameField><pluralLabel>Extras</pluralLabel><sharingModel>ReadWrite</sharingModel>"
        "<fields><fullName>Far__c</fullName><label>Far</label><length>30</length><type>Text</type></fields>"
    )
    members = {"CustomObject": [name], "CustomField": [f"{name}.Far__c"]}
    return _package(members, _object(name, inner), {}), f"object {name}"


def apex(lab: Any, rng: random.Random, place: int) -> tuple[dict[str, bytes], str]:
    name = rng.choice(("ExtraClass", "PaymentRouter", "InvoiceService"))
    meta = f"<ApexClass {NS}><apiVersion>67.0</apiVersion><status>Active</status></ApexClass>"
    body = f"public class {name} {{ /* {place} */ }}"
    files = {f"classes/{name}.cls": body, f"classes/{name}.cls-meta.xml": meta}
    return _package({"ApexClass": [name]}, files, {}), f"class {name}"


def drop_report(lab: Any, rng: random.Random, place: int) -> tuple[dict[str, bytes], str]:
    gone = rng.choice(({"Report": ["Receivables/Cheques_Of_Old"]}, {"ListView": ["Payment__c.Cheques"]},
                       {"ApexClass": ["LegacyPaymentExport"]}))  # fmt: skip
    return _package({}, {}, gone), f"deletion of {gone}"


ACTS = (
    add_field, drop_field, change_rule, drop_rule, list_view, labels, drop_label, profile, permission_set,
    record_type, picklist, flow, new_object, apex, drop_report,
)  # fmt: skip
