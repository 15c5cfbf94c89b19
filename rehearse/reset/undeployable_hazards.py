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
    component(
        "never-by-api",
        "Skill AppMenu",
        "any",
        "",
        ("manual", "this type is not deployable both ways; put it back in Setup", "Metadata coverage report"),
    ),
    component(
        "territory",
        "Territory2Model",
        "updated",
        "archived",
        ("impossible", "an archived territory model never returns to Active", "Salesforce Help, Territory models"),
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
        "NamedCredential ExternalCredential AuthProvider Certificate",
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
        "NamedCredential ExternalCredential AuthProvider Certificate",
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
        "Network ExperienceBundle DigitalExperienceBundle",
        "any",
        "",
        ("manual", "a redeployed site stays a draft until somebody publishes it", "Metadata API guide, Network"),
    ),
)
