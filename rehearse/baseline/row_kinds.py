"""Objects whose rows are not data: metadata in the shape of rows, logs and jobs of the platform, companions of rows.

Data only. A glob in `scope.records` never means them, because metadata captures the first and nothing can write back
the others; a proof does not count them as changes outside its scope where the metadata in scope covers them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

NOT_ROWS = ("History", "Feed", "Share", "ChangeEvent", "Tag", "__hd", "__tag", "__Feed", "__History", "__Share")
"""Endings of companion objects: the platform writes their rows along with those of the object itself."""

AS_METADATA: Mapping[str, tuple[str, ...]] = {
    "ApexClass": ("ApexClass",),
    "ApexComponent": ("ApexComponent",),
    "ApexPage": ("ApexPage",),
    "ApexTrigger": ("ApexTrigger",),
    "AuraDefinition": ("AuraDefinitionBundle",),
    "AuraDefinitionBundle": ("AuraDefinitionBundle",),
    "BusinessProcess": ("CustomObject",),
    "ConnectedApplication": ("ConnectedApp",),
    "CustomPermission": ("CustomPermission",),
    "Dashboard": ("Dashboard",),
    "EntityDefinition": ("CustomObject",),
    "FieldDefinition": ("CustomObject",),
    "FieldPermissions": ("Profile", "PermissionSet"),
    "Folder": ("Report", "Dashboard", "Document", "EmailTemplate"),
    "Group": ("Group", "Queue"),
    "ObjectPermissions": ("Profile", "PermissionSet"),
    "PermissionSet": ("PermissionSet", "Profile"),
    "PermissionSetGroup": ("PermissionSetGroup",),
    "PermissionSetTabSetting": ("Profile", "PermissionSet"),
    "Profile": ("Profile",),
    "QueueSobject": ("Queue",),
    "RecordType": ("CustomObject",),
    "Report": ("Report",),
    "SetupEntityAccess": ("Profile", "PermissionSet"),
    "StaticResource": ("StaticResource",),
    "UserRole": ("Role",),
    "WebLink": ("CustomObject",),
}
"""Object -> the metadata types that say what its rows say."""

_LOGS = """
ApexLog ApexTestQueueItem ApexTestResult AsyncApexJob AuthSession BackgroundOperation CronJobDetail CronTrigger
FeedTrackedChange FlowInterview LoginGeo LoginHistory LoginIp Organization SetupAuditTrail UserLicense
UserPermissionAccess
"""
LOGS = frozenset(_LOGS.split())
"""What the platform writes by itself: logs, jobs, sessions, licences, and the one row of the org or the login. Not
UserLogin: people freeze users with it, before a go-live all of them (object reference, UserLogin)."""

WITHOUT_UNDELETE = frozenset({
    "AccountTeamMember", "CampaignMember", "ContentDocumentLink", "GroupMember", "OpportunityContactRole",
    "OpportunityTeamMember", "PermissionSetAssignment", "PricebookEntry",
})  # fmt: skip
"""Objects whose rows come back only with the row above them: no undelete takes them (object reference, supported calls;
SOAP API guide, undelete). Describe says it of an org; this is for where no org is asked."""

_BY_ENDING: Mapping[str, str] = {
    "__mdt": "its rows are metadata: CustomMetadata",
    "__e": "a platform event, which keeps no rows",
    "__b": "a big object: its rows are not captured, and no reset takes them back",
    "__x": "an external object: its rows lie elsewhere",
    "__kav": "articles are published, not written as rows: they are not captured, and no reset takes them back",
    "__voteStat": "the platform counts it",
    "__viewStat": "the platform counts it",
}
"""Endings of objects whose rows no capture holds, and why."""
NOT_DATA = tuple(_BY_ENDING)

ONLY_BY_PARENT = frozenset({
    "ContentFolderItem", "ContentFolderLink", "ContentFolderMember", "IdeaComment", "Vote", "FieldHistoryArchive",
})  # fmt: skip
"""Objects that the org tells only for one named parent (facts/data.md 1.5); nobody asked for them by name."""


def metadata_of(object: str) -> tuple[str, ...]:
    """The metadata types that say what the rows of an object say; none for an object with data."""
    return ("CustomMetadata",) if object.endswith("__mdt") else AS_METADATA.get(object, ())


def is_covered(object: str, types: Collection[str]) -> bool:
    """Whether captured metadata types say everything that the rows of an object say."""
    known = metadata_of(object)
    return bool(known) and all(one in types for one in known)


def why_no_rows(object: str) -> str | None:
    """Why a glob does not mean this object, in words; None for an object with data."""
    if object in AS_METADATA:
        return f"its rows are metadata: {', '.join(AS_METADATA[object])}"
    if object in LOGS:
        return "a log or a job of the platform; nothing can write it back"
    if object in ONLY_BY_PARENT:
        return "the org tells its rows only for one named parent"
    return next((why for ending, why in _BY_ENDING.items() if object.endswith(ending)), None)
