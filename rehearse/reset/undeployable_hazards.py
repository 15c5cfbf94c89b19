"""The hazards of what no deployment brings back, or not whole, as data (facts/metadata.md 4.1): packages, schedules,
secrets, assignments, sites. Part of the one table (`hazards`); these rows go before those of ordinary components.
"""

from __future__ import annotations

from rehearse.reset.model import Grade, Hazard, What


def component(name: str, types: str, what: What, when: str, verdict: tuple[Grade, str, str]) -> Hazard:
    """One row about components: its name, types and marks apart by spaces, and grade, reason and source."""
    grade, reason, source = verdict
    return Hazard(name, "component", tuple(types.split()), what, tuple(when.split()), grade, reason, source)


_MANAGED: tuple[tuple[What, Grade, str], ...] = (
    ("created", "manual", "it came with the package, and goes with it alone"),
    ("updated", "unknown", "redeployed as far as its publisher lets it be changed"),
    ("deleted", "manual", "it went with the package, and comes back with it alone"),
)

_NEVER: tuple[tuple[What, str], ...] = (("created", "deletes"), ("deleted", "makes"))

UNDEPLOYABLE_HAZARDS: tuple[Hazard, ...] = (
    component(
        "package",
        "InstalledPackage",
        "any",
        "",
        (
            "impossible",
            "a package cannot be downgraded or restored by a deployment",
            "Metadata API guide, InstalledPackage",
        ),
    ),
    *(
        component(
            f"managed-{what}",
            "*",
            what,
            "managed",
            (
                grade,
                f"part of an installed package: {why}",
                "Metadata API guide, manageableState; managed component attributes",
            ),
        )
        for what, grade, why in _MANAGED
    ),
    component(
        "schedule",
        "CronTrigger",
        "any",
        "",
        (
            "manual",
            "scheduled work is no metadata: abort it in Setup, or schedule it again as its owner, by the Apex that the "
            "baseline holds",
            "Apex guide, System.schedule; Metadata API guide, unsupported types",
        ),
    ),
    *(
        component(
            f"never-by-api-{what}",
            "AppMenu CustomSite Skill",
            what,
            "",
            ("manual", f"no API {does} one; see to that in Setup", "Metadata coverage report"),
        )
        for what, does in _NEVER
    ),
    component(
        "page-assigned",
        "CustomApplication",
        "updated",
        "page-assigned",
        (
            "manual",
            "redeployed; Lightning pages that were assigned in the app since stay assigned, no deployment takes that "
            "away: do it in the Lightning App Builder",
            "Metadata API guide, CustomApplication: actionOverrides, profileActionOverrides",
        ),
    ),
    component(
        "territory-gone",
        "Territory2Model",
        "deleted",
        "",
        ("impossible", "a deleted territory model is lost with its assignments", "Salesforce Help, Territory models"),
    ),
    component(
        "connected-app",
        "ConnectedApp",
        "deleted",
        "",
        ("manual", "a redeployed connected app has a new consumer key and secret", "Metadata API guide, ConnectedApp"),
    ),
    component(
        "connected-app-added",
        "ConnectedApp",
        "created",
        "",
        ("manual", "connected apps are kept out of deletions; remove it in Setup", "Metadata API guide, ConnectedApp"),
    ),
    component(
        "secrets",
        "NamedCredential ExternalCredential AuthProvider Certificate ExternalDataSource ExternalClientApplication "
        "ExtlClntAppGlobalOauthSettings",
        "deleted",
        "",
        (
            "residue",
            "redeployed without its secret, which is never in metadata; enter it again",
            "Metadata API guide, NamedCredential",
        ),
    ),
    component(
        "secrets-unseen",
        "NamedCredential ExternalCredential AuthProvider Certificate ExternalDataSource ConnectedApp "
        "ExtlClntAppGlobalOauthSettings",
        "updated",
        "",
        (
            "unknown",
            "redeployed; whether its secret was changed too cannot be seen, it is never in metadata",
            "Metadata API guide, NamedCredential",
        ),
    ),
    component(
        "approval-process-lost",
        "ApprovalProcess",
        "deleted",
        "",
        (
            "residue",
            "redeployed; its place in the order of active processes is not in metadata",
            "Metadata API guide, ApprovalProcess",
        ),
    ),
    component(
        "approval-process-put-off",
        "ApprovalProcess",
        "updated",
        "put-off",
        (
            "residue",
            "activated again; its place in the order of active processes is not in metadata",
            "Metadata API guide, ApprovalProcess",
        ),
    ),
    component(
        "email-service-lost",
        "EmailServicesFunction",
        "deleted",
        "",
        ("residue", "redeployed; its e-mail addresses are new ones", "Salesforce Help, Create email service addresses"),
    ),
    component(
        "sharing-reason-lost",
        "SharingReason",
        "deleted",
        "",
        (
            "residue",
            "redeployed; the shares that gave it as their reason went with it",
            "Apex guide, Apex sharing reasons",
        ),
    ),
    component(
        "page-added",
        "FlexiPage",
        "created",
        "",
        (
            "unknown",
            "deleted where nobody is assigned to it; an assignment as the default of the org no deployment takes back",
            "Metadata API guide, deleting components: Lightning pages",
        ),
    ),
    component(
        "site",
        "Network ExperienceBundle DigitalExperienceBundle SiteDotCom",
        "any",
        "",
        (
            "manual",
            "no reset deploys a site: put it back in Experience Builder, or deploy the files of `rehearse baseline "
            "export`, and publish it, for until then it stays a draft",
            "Metadata API guide, Network",
        ),
    ),
)
