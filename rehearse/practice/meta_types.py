"""The metadata types that the practice org knows: directory, suffix, children, id prefix, and their quirks.

One table, no behaviour. A type that is not here does not exist: listMetadata answers INVALID_TYPE for it. Id
prefixes are Salesforce's where they are known.
"""

from __future__ import annotations

from dataclasses import dataclass

EPOCH = "1970-01-01T00:00:00.000Z"


@dataclass(frozen=True)
class ChildType:
    """A type that lives as elements `tag` inside its container's file; `dotted` = named `Container.Child`."""

    name: str
    tag: str
    prefix: str
    dotted: bool = True


@dataclass(frozen=True)
class MetaType:
    """One type of describeMetadata. `content` = a content file with a `-meta.xml` companion; `bundle` = a folder."""

    name: str
    directory: str
    suffix: str
    prefix: str
    children: tuple[ChildType, ...] = ()
    content: bool = False
    bundle: bool = False
    folder: str = ""
    unordered: bool = False
    wildcard: bool = True


OBJECT_CHILDREN = (
    ChildType("BusinessProcess", "businessProcesses", "019"),
    ChildType("CompactLayout", "compactLayouts", "0AH"),
    ChildType("CustomField", "fields", "00N"),
    ChildType("FieldSet", "fieldSets", "0IX"),
    ChildType("ListView", "listViews", "00B"),
    ChildType("RecordType", "recordTypes", "012"),
    ChildType("SharingReason", "sharingReasons", "02c"),
    ChildType("ValidationRule", "validationRules", "03d"),
    ChildType("WebLink", "webLinks", "00b"),
)
WORKFLOW_CHILDREN = (
    ChildType("WorkflowAlert", "alerts", "01W"),
    ChildType("WorkflowFieldUpdate", "fieldUpdates", "04Y"),
    ChildType("WorkflowOutboundMessage", "outboundMessages", "04k"),
    ChildType("WorkflowRule", "rules", "01Q"),
    ChildType("WorkflowTask", "tasks", "00T"),
)
SHARING_CHILDREN = (
    ChildType("SharingCriteriaRule", "sharingCriteriaRules", ""),
    ChildType("SharingGuestRule", "sharingGuestRules", ""),
    ChildType("SharingOwnerRule", "sharingOwnerRules", ""),
)
LABEL_CHILDREN = (ChildType("CustomLabel", "labels", "101", dotted=False),)

TYPES: tuple[MetaType, ...] = (
    MetaType("ApexClass", "classes", "cls", "01p", content=True),
    MetaType("ApexTrigger", "triggers", "trigger", "01q", content=True),
    MetaType("AssignmentRules", "assignmentRules", "assignmentRules", "",
             (ChildType("AssignmentRule", "assignmentRule", "01Q"),)),
    MetaType("AutoResponseRules", "autoResponseRules", "autoResponseRules", "",
             (ChildType("AutoResponseRule", "autoResponseRule", "01Q"),)),
    MetaType("CustomApplication", "applications", "app", "02u"),
    MetaType("CustomLabels", "labels", "labels", "", LABEL_CHILDREN, unordered=True),
    MetaType("CustomMetadata", "customMetadata", "md", "m00"),
    MetaType("CustomObject", "objects", "object", "01I", OBJECT_CHILDREN, unordered=True),
    MetaType("CustomObjectTranslation", "objectTranslations", "objectTranslation", "", unordered=True),
    MetaType("CustomPermission", "customPermissions", "customPermission", "0CP"),
    MetaType("CustomTab", "tabs", "tab", "01r"),
    MetaType("DuplicateRule", "duplicateRules", "duplicateRule", "0Bm"),
    MetaType("EscalationRules", "escalationRules", "escalationRules", "",
             (ChildType("EscalationRule", "escalationRule", "01Q"),)),
    MetaType("Flow", "flows", "flow", "301"),
    MetaType("FlowDefinition", "flowDefinitions", "flowDefinition", "300"),
    MetaType("GlobalValueSet", "globalValueSets", "globalValueSet", "0Nt"),
    MetaType(
        "GlobalValueSetTranslation", "globalValueSetTranslations", "globalValueSetTranslation", "", unordered=True
    ),
    MetaType("Group", "groups", "group", "00G"),
    MetaType("InstalledPackage", "installedPackages", "installedPackage", "0A3"),
    MetaType("Layout", "layouts", "layout", "00h"),
    MetaType("LightningComponentBundle", "lwc", "", "0Rb", bundle=True),
    MetaType("MatchingRules", "matchingRules", "matchingRule", "",
             (ChildType("MatchingRule", "matchingRules", "0JD"),)),
    MetaType("NamedCredential", "namedCredentials", "namedCredential", "0XA"),
    MetaType("PermissionSet", "permissionsets", "permissionset", "0PS", unordered=True),
    MetaType("Profile", "profiles", "profile", "00e", unordered=True),
    MetaType("Queue", "queues", "queue", "00G"),
    MetaType("QuickAction", "quickActions", "quickAction", "09D"),
    MetaType("RemoteSiteSetting", "remoteSiteSettings", "remoteSite", "0rp"),
    MetaType("Report", "reports", "report", "00O", folder="ReportFolder", wildcard=False),
    MetaType("Role", "roles", "role", "00E"),
    MetaType("Settings", "settings", "settings", ""),
    MetaType("SharingRules", "sharingRules", "sharingRules", "", SHARING_CHILDREN, unordered=True),
    MetaType("StandardValueSet", "standardValueSets", "standardValueSet", "", wildcard=False),
    MetaType("StaticResource", "staticresources", "resource", "081", content=True),
    MetaType("Translations", "translations", "translation", "", unordered=True),
    MetaType("Workflow", "workflows", "workflow", "", WORKFLOW_CHILDREN, unordered=True),
)  # fmt: skip
FOLDER_TYPE = MetaType("ReportFolder", "reports", "reportFolder", "00l", wildcard=False)

# Types whose entries in a list have no type of their own (facts 1.3).
LISTED_AS_NIL = frozenset({"GlobalValueSetTranslation", "StandardValueSetTranslation"})

BY_NAME = {one.name: one for one in (*TYPES, FOLDER_TYPE)}
BY_DIRECTORY = {one.directory: one for one in TYPES}
CONTAINER_OF = {child.name: (one, child) for one in TYPES for child in one.children}


def known(name: str) -> bool:
    """True for a top-level, folder or child type of this org."""
    return name in BY_NAME or name in CONTAINER_OF


def prefix_of(name: str) -> str:
    """The id prefix of a type, or the empty text where Salesforce gives no id."""
    if name in CONTAINER_OF:
        return CONTAINER_OF[name][1].prefix
    return BY_NAME[name].prefix


def path_of(name: str, full_name: str) -> str:
    """The path of a component's main file below the package root; a child lives in its container's file."""
    if name in CONTAINER_OF:
        container, child = CONTAINER_OF[name]
        return path_of(container.name, full_name.split(".", 1)[0] if child.dotted else container.name)
    one = BY_NAME[name]
    if one.bundle:
        return f"{one.directory}/{full_name}"
    return f"{one.directory}/{full_name}.{one.suffix}"
