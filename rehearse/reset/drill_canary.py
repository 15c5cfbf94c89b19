"""The canary of a drill: a small object of our own with fields, a rule, rows and access to it, as it is planted and as
it is changed. Data and pure functions; nothing in it sends mail, calls out or runs code.

Its names begin with `RehearseCanary`, so that it is never taken for anything of the org, and whatever else differs is
never the drill's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rehearse.baseline.canonical_xml import NAMESPACE
from rehearse.baseline.packages import build_package_xml

OBJECT = "RehearseCanary__c"
ACCESS = "RehearseCanary"
HELD = "RehearseCanary_Held"
FLOW = "RehearseCanary"
GROUP = "RehearseCanary_Group"
QUEUE = "RehearseCanary_Queue"
TYPES = ("CustomObject", "PermissionSet")
"""What the drill's baseline covers; other types of the sandbox are none of its business."""

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_TEXT = "<fields><fullName>{0}</fullName><label>{1}</label><length>80</length><type>Text</type></fields>"
_CODE = (
    "<fields><fullName>Code__c</fullName><externalId>true</externalId><label>Code</label><length>20</length>"
    "<type>Text</type><unique>true</unique></fields>"
)
_NUMBER = (
    "<fields><fullName>Amount__c</fullName><label>Amount</label><precision>12</precision><scale>2</scale>"
    "<type>Number</type></fields>"
)
_PARENT = (
    "<fields><fullName>Parent__c</fullName><deleteConstraint>SetNull</deleteConstraint><label>Parent</label>"
    f"<referenceTo>{OBJECT}</referenceTo><relationshipName>Children</relationshipName><type>Lookup</type></fields>"
)
_RULE = (
    "<validationRules><fullName>Amount_Is_Small</fullName><active>{0}</active><errorConditionFormula>Amount__c &gt; "
    "1000000</errorConditionFormula><errorMessage>A canary is small.</errorMessage></validationRules>"
)
_OWN = (
    "<deploymentStatus>Deployed</deploymentStatus>{0}<label>Rehearse canary</label><nameField><label>Name</label>"
    "<type>Text</type></nameField><pluralLabel>Rehearse canaries</pluralLabel><sharingModel>ReadWrite</sharingModel>{1}"
)
FIELDS = ("Code__c", "Amount__c", "Parent__c", "Note__c", "Gone__c")

ROWS: tuple[Mapping[str, str | float], ...] = tuple(
    {"Name": f"Canary {n}", "Code__c": f"C{n}", "Amount__c": n * 10.5, "Note__c": f"note {n}", "Gone__c": f"gone {n}"}
    for n in range(1, 7)
)
"""The rows that are planted; `Code__c` tells them apart, so that none is planted twice."""


def planted(api_version: str) -> dict[str, bytes]:
    """The package that plants the canary."""
    inner = f"{_CODE}{_NUMBER}{_PARENT}{_text('Note__c')}{_text('Gone__c')}"
    return {
        "package.xml": build_package_xml({"CustomObject": [OBJECT], "PermissionSet": [ACCESS]}, api_version),
        f"objects/{OBJECT}.object": _file("CustomObject", _OWN.format(inner, _RULE.format("true"))),
        f"permissionsets/{ACCESS}.permissionset": access_file(FIELDS),
    }


def changed(api_version: str) -> dict[str, bytes]:
    """The package of the rehearsal: a field more, a field less, a rule switched off, access to the new field."""
    return {
        "package.xml": build_package_xml(
            {
                "CustomField": [f"{OBJECT}.New__c"],
                "ValidationRule": [f"{OBJECT}.Amount_Is_Small"],
                "PermissionSet": [ACCESS],
            },
            api_version,
        ),
        "destructiveChangesPost.xml": build_package_xml({"CustomField": [f"{OBJECT}.Gone__c"]}, api_version),
        f"objects/{OBJECT}.object": _file("CustomObject", _text("New__c") + _RULE.format("false")),
        f"permissionsets/{ACCESS}.permissionset": access_file((*FIELDS[:-1], "New__c")),
    }


def removed(api_version: str) -> dict[str, bytes]:
    """The destruction of everything that the drill planted."""
    members = {"CustomObject": [OBJECT], "PermissionSet": [ACCESS, HELD], "Group": [GROUP], "Queue": [QUEUE]}
    return destruction(members, api_version)


def destruction(members: Mapping[str, Sequence[str]], api_version: str) -> dict[str, bytes]:
    """A package that deletes; what is not there is a warning, no error."""
    return {
        "package.xml": build_package_xml({}, api_version),
        "destructiveChanges.xml": build_package_xml(members, api_version),
    }


def field_files(name: str, api_version: str) -> dict[str, bytes]:
    """A package with one more text field of the canary."""
    return {
        "package.xml": build_package_xml({"CustomField": [f"{OBJECT}.{name}"]}, api_version),
        f"objects/{OBJECT}.object": _file("CustomObject", _text(name)),
    }


def picklist_files(values: Sequence[str], api_version: str) -> dict[str, bytes]:
    """A package with a picklist of the canary that has these values."""
    entries = "".join(
        f"<value><fullName>{one}</fullName><default>false</default><label>{one}</label></value>" for one in values
    )
    inner = (
        "<fields><fullName>State__c</fullName><label>State</label><type>Picklist</type><valueSet><valueSetDefinition>"
        f"<sorted>false</sorted>{entries}</valueSetDefinition></valueSet></fields>"
    )
    return {
        "package.xml": build_package_xml({"CustomField": [f"{OBJECT}.State__c"]}, api_version),
        f"objects/{OBJECT}.object": _file("CustomObject", inner),
    }


def record_type_files(api_version: str) -> dict[str, bytes]:
    """A package with a record type of the canary."""
    inner = "<recordTypes><fullName>Trial</fullName><active>true</active><label>Trial</label></recordTypes>"
    return {
        "package.xml": build_package_xml({"RecordType": [f"{OBJECT}.Trial"]}, api_version),
        f"objects/{OBJECT}.object": _file("CustomObject", inner),
    }


def access_files(fields: Sequence[str], api_version: str) -> dict[str, bytes]:
    """A package with the permission set alone, for these fields."""
    return {
        "package.xml": build_package_xml({"PermissionSet": [ACCESS]}, api_version),
        f"permissionsets/{ACCESS}.permissionset": access_file(fields),
    }


def set_files(api_version: str) -> dict[str, bytes]:
    """A package with what may be hard to delete: a permission set to be held by somebody, a group, a queue."""
    held = "<hasActivationRequired>false</hasActivationRequired><label>Rehearse canary held</label>"
    group = "<doesIncludeBosses>false</doesIncludeBosses><name>Rehearse canary</name>"
    queue = (
        "<doesSendEmailToMembers>false</doesSendEmailToMembers><name>Rehearse canary</name><queueSobject>"
        f"<sobjectType>{OBJECT}</sobjectType></queueSobject>"
    )
    return {
        "package.xml": build_package_xml({"PermissionSet": [HELD], "Group": [GROUP], "Queue": [QUEUE]}, api_version),
        f"permissionsets/{HELD}.permissionset": _file("PermissionSet", held),
        f"groups/{GROUP}.group": _file("Group", group),
        f"queues/{QUEUE}.queue": _file("Queue", queue),
    }


def flow_files(api_version: str) -> dict[str, bytes]:
    """A package with an active flow that nothing starts and that assigns one variable of its own."""
    body = (
        f"<apiVersion>{api_version}</apiVersion><assignments><name>Set</name><label>Set</label><locationX>0</locationX>"
        "<locationY>0</locationY><assignmentItems><assignToReference>n</assignToReference><operator>Assign</operator>"
        "<value><numberValue>1.0</numberValue></value></assignmentItems></assignments><label>Rehearse canary</label>"
        "<processType>AutoLaunchedFlow</processType><start><locationX>0</locationX><locationY>0</locationY><connector>"
        "<targetReference>Set</targetReference></connector></start><status>Active</status><variables><name>n</name>"
        "<dataType>Number</dataType><isCollection>false</isCollection><isInput>false</isInput><isOutput>false"
        "</isOutput><scale>0</scale></variables>"
    )
    return {
        "package.xml": build_package_xml({"Flow": [FLOW]}, api_version),
        f"flows/{FLOW}.flow": _file("Flow", body),
    }


def flow_removal(api_version: str) -> dict[str, bytes]:
    """A package that deactivates the flow and deletes its version in one go."""
    return {
        "package.xml": build_package_xml({"FlowDefinition": [FLOW]}, api_version),
        "destructiveChangesPost.xml": build_package_xml({"Flow": [f"{FLOW}-1"]}, api_version),
        f"flowDefinitions/{FLOW}.flowDefinition": _file(
            "FlowDefinition", "<activeVersionNumber>0</activeVersionNumber>"
        ),
    }


def access_file(fields: Sequence[str]) -> bytes:
    """The permission set that lets the drill's own user see the canary: new fields are visible to nobody."""
    entries = "".join(
        f"<fieldPermissions><editable>true</editable><field>{OBJECT}.{one}</field><readable>true</readable>"
        "</fieldPermissions>"
        for one in sorted(fields)
    )
    rights = "".join(
        f"<{one}>true</{one}>" for one in ("allowCreate", "allowDelete", "allowEdit", "allowRead", "modifyAllRecords")
    )
    return _file(
        "PermissionSet",
        f"{entries}<hasActivationRequired>false</hasActivationRequired><label>Rehearse canary</label>"
        f"<objectPermissions>{rights}<object>{OBJECT}</object><viewAllRecords>true</viewAllRecords></objectPermissions>",
    )


def is_ours(type: str, key: str) -> bool:
    """Whether a changed thing belongs to the canary."""
    return type == OBJECT or key.partition(".")[0] in (OBJECT, ACCESS)


def _text(name: str) -> str:
    return _TEXT.format(name, name.removesuffix("__c"))


def _file(type: str, inner: str) -> bytes:
    return f'{_HEAD}<{type} xmlns="{NAMESPACE}">{inner}</{type}>'.encode()
