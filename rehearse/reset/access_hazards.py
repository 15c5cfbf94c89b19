"""The hazards of who may do what, as data (facts/metadata.md 4.1): profiles, permission sets, and set-up whose rows
others name: roles, queues, groups. Part of the one table (`hazards`), within those of components.
"""

from __future__ import annotations

from rehearse.reset.model import Hazard
from rehearse.reset.undeployable_hazards import component

ACCESS_HAZARDS: tuple[Hazard, ...] = (
    component(
        "profile-section",
        "Profile",
        "updated",
        "profile-not-removable",
        ("manual", "a deployment cannot remove this section of a profile", "Metadata API guide, Profile"),
    ),
    component(
        "profile-added",
        "Profile",
        "created",
        "",
        ("exact", "deleted; refused while users hold it", "Metadata API guide, Profile"),
    ),
    component(
        "profile-lost",
        "Profile",
        "deleted",
        "",
        ("residue", "redeployed; its users have to be assigned again", "Metadata API guide, Profile"),
    ),
    component(
        "permission-set-lost",
        "PermissionSet",
        "deleted",
        "",
        ("residue", "redeployed; its assignments are rows and are lost", "Metadata API guide, PermissionSet"),
    ),
    component(
        "set-up-lost",
        "Group PermissionSetGroup Queue RecordType Role Territory2",
        "deleted",
        "",
        (
            "residue",
            "redeployed under a new Id; rows that name it follow it, shares and whoever was assigned do not",
            "Metadata API guide, deploy; SOAP guide, Ids",
        ),
    ),
    component(
        "profile-granted",
        "Profile",
        "updated",
        "grant-added",
        (
            "residue",
            "what was granted since is switched off, and layouts go back; the entry stays in the profile",
            "Metadata API guide, Profile",
        ),
    ),
    component(
        "profile",
        "Profile",
        "updated",
        "",
        ("exact", "redeployed with an explicit false for what was granted since", "Metadata API guide, Profile"),
    ),
)
