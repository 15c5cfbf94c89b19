"""The hazards of what a plan cannot see or cannot order, as data: rows that hide from this login, circles, components
that came into sight, fields that stay away, flow versions edited in place. Part of the one table (`hazards`); only
plans set their marks.
"""

from __future__ import annotations

from rehearse.reset.model import Hazard

UNSEEN_HAZARDS: tuple[Hazard, ...] = (
    Hazard(
        "rows-vanished", "record", ("*",), "deleted", ("rows-vanished",), "manual",
        "the org shows no row of this object, alive or deleted: it may hide them from this login; nothing is inserted",
        "REST API guide, queryAll",
    ),
    Hazard(
        "row-unshared", "record", ("*",), "deleted", ("row-unshared",), "manual",
        "the org does not show it to this login, which lacks View All Data: it may live unshared; "
        "it is not inserted again",
        "Salesforce Help, View All Data",
    ),
    Hazard(
        "object-unread", "record", ("*",), "deleted", ("object-unread",), "manual",
        "the rows of its object could not be asked for: the field that its filter names is gone, or hidden from this "
        "login; bring that back and plan again",
        "REST API guide, INVALID_FIELD",
    ),
    Hazard(
        "object-renamed", "record", ("*",), "deleted", ("object-renamed",), "manual",
        "its object was renamed and holds it under the new name: rename that back in Setup, then plan again",
        "Metadata API guide, FileProperties: id",
    ),
    Hazard(
        "field-away", "record", ("*",), "updated", ("field-away",), "manual",
        "a field that is hidden from this login, or gone and not made anew, held values here: bring it back and plan "
        "again",
        "Salesforce Help, Manage deleted custom fields",
    ),
    Hazard(
        "circle", "record", ("*",), "deleted", ("circle",), "impossible",
        "its references form a circle in which none may be null",
        "describe: nillable is false",
    ),
    Hazard(
        "came-into-sight", "component", ("*",), "created", ("came-into-sight",), "manual",
        "it is older than the baseline, or the baseline could not list its type; it is not deleted",
        "Metadata API guide, FileProperties",
    ),
    Hazard(
        "renamed", "component", ("*",), "any", ("renamed",), "manual",
        "renamed since the baseline: it, or its object, is there under another name and holds what no deployment "
        "brings back; rename it back in Setup, then plan again",
        "Metadata API guide, FileProperties: id",
    ),
    Hazard(
        "respelled", "component", ("*",), "any", ("respelled",), "manual",
        "its name differs in letter case only, and an org takes both for one: rename it back in Setup, then plan again",
        "Metadata API guide, fullName",
    ),
    Hazard(
        "edited-in-place", "component", ("Flow",), "updated", ("edited-in-place",), "manual",
        "a version was edited in place; edit it back",
        "Tooling API guide, Flow",
    ),
)  # fmt: skip
