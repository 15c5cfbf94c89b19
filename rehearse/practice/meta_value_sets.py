"""Standard value sets: the values of standard picklists, as metadata that can be retrieved but never listed.

A list of StandardValueSet is empty although members exist (facts 1.3); a retrieve by name gives them, a deployment
changes the values of every field that uses the set, and a value that it leaves out stays, inactive. None is deleted.
"""

from __future__ import annotations

from dataclasses import replace

from rehearse.practice import components
from rehearse.practice.components import Author, Component
from rehearse.practice.meta_fields import read_values
from rehearse.practice.meta_types import EPOCH, path_of
from rehearse.practice.meta_xml import make, parse, render
from rehearse.practice.org_state import OrgState
from rehearse.practice.schema import PicklistValue

TYPE = "StandardValueSet"
FIELDS: dict[str, tuple[str, ...]] = {
    "AccountOwnership": ("Account.Ownership",),
    "AccountRating": ("Account.Rating", "Lead.Rating"),
    "AccountType": ("Account.Type",),
    "CampaignMemberStatus": ("CampaignMember.Status",),
    "CampaignStatus": ("Campaign.Status",),
    "CampaignType": ("Campaign.Type",),
    "CaseOrigin": ("Case.Origin",),
    "CasePriority": ("Case.Priority",),
    "CaseReason": ("Case.Reason",),
    "CaseStatus": ("Case.Status",),
    "CaseType": ("Case.Type",),
    "Industry": ("Account.Industry", "Lead.Industry"),
    "LeadSource": ("Lead.LeadSource", "Contact.LeadSource", "Opportunity.LeadSource", "Account.AccountSource"),
    "LeadStatus": ("Lead.Status",),
    "OpportunityStage": ("Opportunity.StageName",),
    "OpportunityType": ("Opportunity.Type",),
    "Salutation": ("Contact.Salutation", "Lead.Salutation"),
    "TaskPriority": ("Task.Priority",),
    "TaskStatus": ("Task.Status",),
}


def prepare(org: OrgState) -> None:
    """Add the sets that are not there yet, with the values that their fields have. Harmless to repeat."""
    kept = set(components.names(org, TYPE))
    for name, paths in FIELDS.items():
        values = _values_of(org, paths[0])
        if name not in kept and values:
            body = Component(TYPE, name, _as_xml(values), path=path_of(TYPE, name))
            components.save(org, body, Author("", EPOCH))


def _values_of(org: OrgState, path: str) -> tuple[PicklistValue, ...]:
    owner, _, name = path.partition(".")
    definition = org.find_object(owner)
    field = definition.find(name) if definition is not None else None
    return field.values if field is not None else ()


def _as_xml(values: tuple[PicklistValue, ...]) -> bytes:
    entries = [
        make(
            "standardValue",
            make("fullName", text=one.name),
            make("default", text=str(one.default).lower()),
            make("label", text=one.label),
        )
        for one in values
    ]
    return render(make(TYPE, make("sorted", text="false"), *entries))


def follow(org: OrgState, component: Component) -> None:
    """Give the fields that use a set the values that it has now."""
    kept = components.find(org, TYPE, component.name)
    if kept is None:
        return
    values = read_values(parse(kept.xml), "standardValue")
    for path in FIELDS.get(kept.name, ()):
        owner, _, name = path.partition(".")
        definition = org.find_object(owner)
        if definition is not None and _values_of(org, path) != values:
            fields = tuple(replace(one, values=values) if one.name == name else one for one in definition.fields)
            org.put_object(replace(definition, fields=fields))
