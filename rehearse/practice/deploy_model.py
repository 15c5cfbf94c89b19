"""The nouns of a deployment: options, what is asked for, and what became of each part of it. Frozen values, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from rehearse.practice.components import Component
from rehearse.practice.meta_package import Package

ORDER = (
    "ReportFolder", "Role", "Group", "GlobalValueSet", "StandardValueSet", "GlobalValueSetTranslation",
    "CustomPermission", "CustomLabels", "CustomLabel", "CustomObject", "CustomField", "CustomMetadata",
    "BusinessProcess",
    "CompactLayout", "FieldSet", "WebLink", "RecordType", "SharingReason", "ListView", "ValidationRule", "Queue",
    "StaticResource", "RemoteSiteSetting", "ApexClass", "ApexTrigger", "LightningComponentBundle", "Workflow",
    "WorkflowAlert", "WorkflowFieldUpdate", "WorkflowOutboundMessage", "WorkflowTask", "WorkflowRule", "QuickAction",
    "Layout", "SharingRules", "SharingOwnerRule", "SharingCriteriaRule", "SharingGuestRule", "AssignmentRules",
    "AssignmentRule", "AutoResponseRules", "AutoResponseRule", "EscalationRules", "EscalationRule", "MatchingRules",
    "MatchingRule", "DuplicateRule", "NamedCredential", "CustomObjectTranslation", "Translations", "CustomTab",
    "CustomApplication", "Flow", "FlowDefinition", "Report", "Settings", "InstalledPackage",
    "PermissionSet", "Profile",
)  # fmt: skip
"""The order in which parts of one deployment are written: what is referred to comes first."""


class DeployProblem(Exception):
    """A part of a deployment that the org refuses, in Salesforce's words; `warning` when it may be let pass."""

    def __init__(self, text: str, *, warning: bool = False, line: int = 0, column: int = 0) -> None:
        super().__init__(text)
        self.text, self.warning, self.line, self.column = text, warning, line, column


@dataclass(frozen=True)
class Options:
    """DeployOptions (facts 1.4), with the defaults of the API."""

    allow_missing_files: bool = False
    check_only: bool = False
    ignore_warnings: bool = False
    purge_on_delete: bool = False
    rollback_on_error: bool = False
    run_tests: tuple[str, ...] = ()
    single_package: bool = False
    test_level: str = ""


@dataclass(frozen=True)
class Item:
    """One thing to do: write `component`, or delete the component of this type and name; `file` is what to blame."""

    do: Literal["pre", "write", "post"]
    type: str
    name: str
    file: str
    component: Component | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        return (self.do, self.type, self.name.lower())


@dataclass(frozen=True)
class Outcome:
    """What became of one item: a DeployMessage. `problem_type` is Error, Warning or empty."""

    type: str
    name: str
    file: str
    success: bool
    created: bool = False
    changed: bool = False
    deleted: bool = False
    id: str = ""
    problem: str = ""
    problem_type: str = ""
    line: int = 0
    column: int = 0


@dataclass(frozen=True)
class DeployPackage:
    """An unpacked zip: manifests, and files below the root. `folder` is the top folder with its slash, or empty."""

    package: Package
    files: Mapping[str, bytes]
    pre: Package = field(default_factory=Package)
    plain: Package = field(default_factory=Package)
    post: Package = field(default_factory=Package)
    folder: str = ""
