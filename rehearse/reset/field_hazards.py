"""The hazards of objects, fields and their values, as data (facts/metadata.md 4.1), those of Salesforce's own included.
Part of the one table (`hazards`), within those of components.
"""

from __future__ import annotations

from rehearse.reset.model import Hazard, What
from rehearse.reset.undeployable_hazards import component

_STANDARD: tuple[tuple[What, str], ...] = (("created", "came"), ("deleted", "went"))

FIELD_HAZARDS: tuple[Hazard, ...] = (
    *(
        component(
            f"standard-{what}",
            "*",
            what,
            "standard",
            (
                "manual",
                f"one of Salesforce's own: it {why} with a feature or a licence, and no API "
                f"{'deletes' if what == 'created' else 'makes'} it; see to that in Setup",
                "Metadata API guide, CustomObject; CustomField: standard objects and fields",
            ),
        )
        for what, why in _STANDARD
    ),
    component(
        "sharing-opened",
        "CustomObject",
        "updated",
        "opened",
        (
            "residue",
            "the default access goes back; shares by hand that the wider one made superfluous were taken away by "
            "Salesforce, and nobody compares them",
            "Salesforce Help, Set your internal organization-wide sharing defaults",
        ),
    ),
    component(
        "dependency-added",
        "CustomField",
        "updated",
        "dependency-added",
        (
            "manual",
            "an API cannot remove a field dependency, nor a controlling value from one",
            "Metadata API guide, ValueSettings",
        ),
    ),
    component(
        "picklist-added",
        "CustomField GlobalValueSet",
        "updated",
        "value-added",
        (
            "residue",
            "an added picklist value is deactivated; an API cannot delete it",
            "Metadata API guide, CustomValue",
        ),
    ),
    component(
        "kind-changed",
        "CustomField",
        "updated",
        "kind-changed",
        (
            "manual",
            "a deployment turns no formula or roll-up summary into another kind of field, nor back: delete the field "
            "and plan again, then it is deployed anew",
            "Metadata API: 'Cannot update a field to a Formula from something else'",
        ),
    ),
    component(
        "retyped-unheld",
        "CustomField",
        "updated",
        "type-changed values-unheld",
        (
            "residue",
            "redeployed with the old type; what became of its values is not known, the baseline does not hold them",
            "Salesforce Help, Notes on changing custom field types",
        ),
    ),
    component(
        "field-retyped",
        "CustomField",
        "updated",
        "type-changed",
        (
            "exact",
            "redeployed with the old type; values are written again afterwards",
            "Salesforce Help, Notes on changing custom field types",
        ),
    ),
    *(
        component(
            name,
            type,
            "deleted",
            mark,
            (
                "manual",
                f"{why}: undelete it in Setup, within 15 days, which keeps them; made anew it is empty",
                "Salesforce Help, Manage deleted custom fields and objects",
            ),
        )
        for name, type, mark, why in (
            ("rows-unheld", "CustomObject", "rows-unheld", "deleted with rows that the baseline does not hold"),
            ("values-unheld", "CustomField", "values-unheld", "deleted with values that the baseline does not hold"),
            (
                "unfillable-object",
                "CustomObject",
                "unfillable",
                "no profile or permission set is in scope, so nobody could fill its fields",
            ),
            (
                "unfillable",
                "CustomField",
                "unfillable",
                "no profile or permission set is in scope, so nobody could fill it",
            ),
            ("auto-number-lost", "CustomField", "auto-number", "deleted with numbers that nothing can write"),
        )
    ),
    component(
        "master-detail-lost",
        "CustomField",
        "deleted",
        "master-detail",
        (
            "manual",
            "a master-detail field is refused while its object has rows: undelete it in Setup, within 15 days, or make "
            "it as a look-up, fill it, and convert it",
            "Salesforce Help, Considerations for relationships; Manage deleted custom fields",
        ),
    ),
    component(
        "access-lost",
        "*",
        "deleted",
        "access-unheld",
        (
            "residue",
            "deployed again, with values and rows of the baseline where it has any; who had access to it is not known, "
            "its scope lacks profiles or permission sets",
            "Metadata API guide, Profile; PermissionSet",
        ),
    ),
    component(
        "history-lost",
        "CustomField",
        "deleted",
        "tracked",
        (
            "residue",
            "redeployed empty; its values are written again; the history that was tracked of it is lost",
            "Salesforce Help, Manage deleted custom fields",
        ),
    ),
    component(
        "field-lost",
        "CustomField",
        "deleted",
        "",
        (
            "exact",
            "redeployed empty; its values are written again",
            "Salesforce Help, Manage deleted custom fields",
        ),
    ),
    component(
        "object-lost",
        "CustomObject",
        "deleted",
        "",
        (
            "exact",
            "redeployed with its fields; it is empty, its rows come back under new Ids",
            "Salesforce Help, Manage deleted custom objects",
        ),
    ),
)
