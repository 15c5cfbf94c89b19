"""Thousands of components for the practice company, where a test needs an org as large as old ones are.

Apex classes, fields of custom objects, labels, static resources, reports, permission sets and remote sites in fixed
shares, all plain and all different, the same for the same number. They refer to nothing outside, so that nothing in the
company depends on them.
"""

from __future__ import annotations

from collections.abc import Iterator

from rehearse.practice.seed_fields import checkbox, money, plain, text
from rehearse.practice.seed_xml import API_VERSION, Xml, render_component

FIELDS_AN_OBJECT = 100
# Share of each kind in hundredths; what is left over becomes Apex classes.
SHARES = {"fields": 30, "labels": 12, "resources": 10, "reports": 8, "sites": 4, "permission_sets": 2}


def build_many(count: int) -> dict[str, bytes]:
    """About `count` components as one mdapi tree (children count, as they do in a manifest)."""
    wanted = {kind: count * share // 100 for kind, share in SHARES.items()}
    files = dict(_objects(wanted["fields"]))
    files["labels/CustomLabels.labels"] = _labels(wanted["labels"])
    for number in range(wanted["resources"]):
        files[f"staticresources/Sheet_{number:05d}.resource"] = f"sheet {number}\n".encode() * (1 + number % 50)
        meta: Xml = {"cacheControl": "Private", "contentType": "text/plain", "description": f"Sheet {number}"}
        files[f"staticresources/Sheet_{number:05d}.resource-meta.xml"] = render_component("StaticResource", meta)
    files |= _reports(wanted["reports"])
    for number in range(wanted["sites"]):
        url = f"https://peer{number}.tidewater.example"
        site: Xml = {"description": url, "disableProtocolSecurity": False, "isActive": number % 9 > 0, "url": url}
        files[f"remoteSiteSettings/Peer_{number:05d}.remoteSite"] = render_component("RemoteSiteSetting", site)
    for number in range(wanted["permission_sets"]):
        rights: Xml = {"hasActivationRequired": False, "label": f"Team {number}", "license": "Salesforce"}
        files[f"permissionsets/Team_{number:05d}.permissionset"] = render_component("PermissionSet", rights)
    for number in range(count - sum(wanted.values())):
        files |= _apex(number)
    return files


def _objects(fields: int) -> Iterator[tuple[str, bytes]]:
    for first in range(0, fields, FIELDS_AN_OBJECT):
        made = [_field(number) for number in range(first, min(fields, first + FIELDS_AN_OBJECT))]
        place = first // FIELDS_AN_OBJECT
        body: Xml = {
            "deploymentStatus": "Deployed",
            "fields": made,
            "label": f"Ledger {place}",
            "nameField": {"label": "Name", "type": "Text"},
            "pluralLabel": f"Ledgers {place}",
            "sharingModel": "ReadWrite",
        }
        yield f"objects/Ledger{place:03d}__c.object", render_component("CustomObject", body)


def _field(number: int) -> Xml:
    name, label = f"Entry{number:05d}__c", f"Entry {number}"
    kinds = (
        lambda: text(name, label, 20 + number % 200),
        lambda: money(name, label),
        lambda: checkbox(name, label),
        lambda: plain(name, label, "Date"),
    )
    return kinds[number % 4]()


def _labels(count: int) -> bytes:
    made: list[Xml] = [
        {
            "fullName": f"Line_{number:05d}",
            "language": "en_US",
            "protected": False,
            "shortDescription": f"Line {number}",
            "value": f"The line {number} of “Tidewater”",
        }
        for number in range(count)
    ]
    return render_component("CustomLabels", {"labels": made})


def _reports(count: int) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for number in range(count):
        body: Xml = {
            "columns": [{"field": "ACCOUNT.NAME"}, {"field": "TYPE"}],
            "format": "Tabular",
            "name": f"List {number}",
            "reportType": "AccountList",
            "scope": "organization",
            "showDetails": True,
        }
        files[f"reports/Lists/List_{number:05d}.report"] = render_component("Report", body)
    if count:
        folder: Xml = {"accessType": "Public", "name": "Lists"}
        files["reports/Lists-meta.xml"] = render_component("ReportFolder", folder)
    return files


def _apex(number: int) -> dict[str, bytes]:
    name = f"Step{number:05d}"
    lines = "".join(f"        total += {number} * {place};\n" for place in range(1 + number % 40))
    source = f"public with sharing class {name} {{\n    public Integer run() {{\n        Integer total = 0;\n{lines}"
    source += "        return total;\n    }\n}\n"
    meta: Xml = {"apiVersion": API_VERSION, "status": "Active"}
    path = f"classes/{name}.cls"
    return {path: source.encode(), f"{path}-meta.xml": render_component("ApexClass", meta)}
