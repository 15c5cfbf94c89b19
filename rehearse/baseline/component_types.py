"""Where each metadata type lives in a package: directory, suffix, companions, bundles, folders, and children.

The usual types are listed here (facts/metadata.md 3.3 and 3.4), so that a package can be read without an org; what an
org's describeMetadata adds is merged in and kept with each capture.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rehearse.baseline.rare_types import WITH_COMPANION, rare_places
from rehearse.org.model import MetadataType


@dataclass(frozen=True)
class Place:
    """Where the files of one type are. A bundle is a folder a component, whose name is `depth` folders long.

    `in_folder` names are `Folder/Item`; `inside` names are `Owner.Item`, and the files lie in the folder of the owner.
    `rare`: known by its name alone, so that what is said of its files is not to be built on.
    """

    type: str
    directory: str
    suffix: str = ""
    bundle: bool = False
    in_folder: bool = False
    content: bool = False
    depth: int = 1
    inside: bool = False
    rare: bool = False


@dataclass(frozen=True)
class ChildPlace:
    """A type that lives as elements `tag` in its container's file; `dotted`: its name is `Container.Child`."""

    type: str
    tag: str
    dotted: bool = True


_PLAIN = """
AnalyticSnapshot analyticSnapshots snapshot|AppMenu appMenus appMenu|ApprovalProcess approvalProcesses approvalProcess
AssignmentRules assignmentRules assignmentRules|AuthProvider authproviders authprovider
AutoResponseRules autoResponseRules autoResponseRules|Community communities community
ConnectedApp connectedApps connectedApp|CronTrigger cronTriggers cronTrigger
CspTrustedSite cspTrustedSites cspTrustedSite|CustomApplication applications app
CustomFeedFilter feedFilters feedFilter|CustomLabels labels labels
CustomMetadata customMetadata md|CustomNotificationType notificationtypes notiftype|CustomObject objects object
CustomObjectTranslation objectTranslations objectTranslation|CustomPageWebLink weblinks weblink
CustomPermission customPermissions customPermission|CustomSite sites site|CustomTab tabs tab
DataCategoryGroup datacategorygroups datacategorygroup|DelegateGroup delegateGroups delegateGroup
DuplicateRule duplicateRules duplicateRule|EscalationRules escalationRules escalationRules
ExternalCredential externalCredentials externalCredential|ExternalDataSource dataSources dataSource
FlexiPage flexipages flexipage|Flow flows flow|FlowDefinition flowDefinitions flowDefinition
GlobalValueSet globalValueSets globalValueSet
GlobalValueSetTranslation globalValueSetTranslations globalValueSetTranslation
Group groups group|HomePageComponent homePageComponents homePageComponent|HomePageLayout homePageLayouts homePageLayout
InstalledPackage installedPackages installedPackage|Layout layouts layout
LightningMessageChannel messageChannels messageChannel|MatchingRules matchingRules matchingRule
MutingPermissionSet mutingpermissionsets mutingpermissionset|NamedCredential namedCredentials namedCredential
Network networks network|PathAssistant pathAssistants pathAssistant|PermissionSet permissionsets permissionset
PermissionSetGroup permissionsetgroups permissionsetgroup|PlatformCachePartition cachePartitions cachePartition
Profile profiles profile|ProfilePasswordPolicy profilePasswordPolicies profilePasswordPolicy
ProfileSessionSetting profileSessionSettings profileSessionSetting|PostTemplate postTemplates postTemplate
Queue queues queue|QuickAction quickActions quickAction
RecommendationStrategy recommendationStrategies recommendationStrategy
RemoteSiteSetting remoteSiteSettings remoteSite|ReportType reportTypes reportType|Role roles role
Settings settings settings|SharingRules sharingRules sharingRules|SharingSet sharingSets sharingSet
StandardValueSet standardValueSets standardValueSet
StandardValueSetTranslation standardValueSetTranslations standardValueSetTranslation
SynonymDictionary synonymDictionaries synonymDictionary|Territory2Type territory2Types territory2Type
TopicsForObjects topicsForObjects topicsForObjects
TransactionSecurityPolicy transactionSecurityPolicies transactionSecurityPolicy
Translations translations translation|Workflow workflows workflow
"""
_CONTENT = """
ApexClass classes cls|ApexComponent components component|ApexPage pages page|ApexTrigger triggers trigger
Certificate certs crt|ContentAsset contentassets asset|StaticResource staticresources resource
"""
_BUNDLES = """
AiAuthoringBundle aiAuthoringBundles|AppFrameworkTemplateBundle appTemplates|AuraDefinitionBundle aura
ContentTypeBundle contentTypes|ExperienceBundle experiences|ExperiencePropertyTypeBundle experiencePropertyTypeBundles
GenAiFunction genAiFunctions|GenAiPlannerBundle genAiPlannerBundles|LightningComponentBundle lwc
LightningTypeBundle lightningTypes|UIBundle uiBundles|WaveTemplateBundle waveTemplates|WebStoreBundle webStoreBundles
"""
_INSIDE = """
Territory2 territory2Models territory2|Territory2Model territory2Models territory2Model
Territory2Rule territory2Models territory2Rule
"""
_FOLDERED = """
Dashboard dashboards dashboard|Document documents|EmailTemplate email email|Report reports report
"""
_CHILDREN = """
CustomObject BusinessProcess businessProcesses|CustomObject CompactLayout compactLayouts|CustomObject CustomField fields
CustomObject FieldSet fieldSets|CustomObject Index indexes|CustomObject ListView listViews
CustomObject RecordType recordTypes|CustomObject SharingReason sharingReasons
CustomObject ValidationRule validationRules
CustomObject WebLink webLinks|Workflow WorkflowAlert alerts|Workflow WorkflowFieldUpdate fieldUpdates
Workflow WorkflowFlowAction flowActions|Workflow WorkflowKnowledgePublish knowledgePublishes
Workflow WorkflowOutboundMessage outboundMessages|Workflow WorkflowRule rules|Workflow WorkflowSend send
Workflow WorkflowTask tasks|SharingRules SharingCriteriaRule sharingCriteriaRules
SharingRules SharingGuestRule sharingGuestRules|SharingRules SharingOwnerRule sharingOwnerRules
SharingRules SharingTerritoryRule sharingTerritoryRules|AssignmentRules AssignmentRule assignmentRule
AutoResponseRules AutoResponseRule autoResponseRule|EscalationRules EscalationRule escalationRule
MatchingRules MatchingRule matchingRules|CustomLabels CustomLabel labels
"""


def _rows(table: str) -> list[list[str]]:
    return [row.split() for line in table.strip().splitlines() for row in line.split("|")]


PLACES: tuple[Place, ...] = (
    *(Place(type, directory, suffix) for type, directory, suffix in _rows(_PLAIN)),
    *(Place(type, directory, suffix, content=True) for type, directory, suffix in _rows(_CONTENT)),
    *(Place(type, directory, bundle=True) for type, directory in _rows(_BUNDLES)),
    Place("DigitalExperienceBundle", "digitalExperiences", bundle=True, depth=2),
    *(Place(type, directory, suffix, inside=True) for type, directory, suffix in _rows(_INSIDE)),
    *(
        Place(type, directory, suffix, content=type in WITH_COMPANION, rare=True)
        for type, directory, suffix in rare_places()
    ),
    *(
        Place(
            row[0],
            row[1],
            row[2] if len(row) > 2 else "",
            in_folder=True,
            content=row[0] in ("Document", "EmailTemplate"),
        )
        for row in _rows(_FOLDERED)
    ),
)
FOLDER_TYPES: Mapping[str, tuple[str, ...]] = {
    "Report": ("ReportFolder",),
    "Dashboard": ("DashboardFolder",),
    "Document": ("DocumentFolder",),
    "EmailTemplate": ("EmailFolder", "EmailTemplateFolder"),
}
"""The types under which listMetadata gives the folders of a type: of templates those of Classic and those of Lightning
(facts/metadata.md 1.4); manifests name folders under the type itself."""
UNFILED = "unfiled$public"
HAS_UNFILED = frozenset({"EmailTemplate", "Report"})
"""Types with a public folder of the platform's own, `UNFILED`, that no list of folders names and that holds components
like any other (Metadata API guide, Folder)."""
HELD_IN = {folder: type for type, folders in FOLDER_TYPES.items() for folder in folders}
"""The type whose components a type of folders holds."""

_by_parent: dict[str, list[ChildPlace]] = {}
for _parent, _child, _tag in _rows(_CHILDREN):
    _by_parent.setdefault(_parent, []).append(ChildPlace(_child, _tag, _parent != "CustomLabels"))
CHILDREN: dict[str, tuple[ChildPlace, ...]] = {parent: tuple(found) for parent, found in _by_parent.items()}
PARENT_OF: dict[str, tuple[str, ChildPlace]] = {
    child.type: (parent, child) for parent, found in CHILDREN.items() for child in found
}
ALWAYS_THERE = frozenset({"CustomObject"})
"""Containers that exist apart from their children; any other container is nothing but its children."""


class TypeTable:
    """The types by directory: the usual ones, overlaid with what an org described.

    `named` is what `components.name_file` found out about paths: the same ones are asked for several times.
    """

    def __init__(self, described: Iterable[MetadataType] = ()) -> None:
        places = {one.type: one for one in PLACES}
        for one in described:
            known = places.get(one.name)
            if known and (known.inside or known.depth > 1):
                continue
            bundle = known.bundle if known and not known.rare else not one.suffix and not one.in_folder
            places[one.name] = Place(
                one.name,
                one.directory,
                one.suffix or "",
                bundle=bundle,
                in_folder=one.in_folder,
                content=bool(known and known.content) or (one.meta_file and not bundle and bool(one.suffix or known)),
                rare=known.rare if known else True,
            )
        self._by_directory: dict[str, list[Place]] = {}
        for place in places.values():
            self._by_directory.setdefault(place.directory, []).append(place)
        self._by_type = places
        self.named: dict[str, tuple[Place, str] | None] = {}

    def place(self, type: str) -> Place | None:
        """Where a type lives, or None when it is unknown."""
        return self._by_type.get(type)

    def place_of(self, path: str) -> Place | None:
        """The type that a file belongs to, by its directory and, where several share it, by its suffix."""
        directory, _, rest = path.partition("/")
        found = self._by_directory.get(directory, [])
        if len(found) < 2:
            return found[0] if found else None
        bare = rest.removesuffix("-meta.xml")
        return next((one for one in found if one.suffix and bare.endswith(f".{one.suffix}")), found[0])
