"""The part of the metadata that an org is born with: standard objects, of which only what may be customised shows.

Each customisable standard object gets a component without id and with the 1970 dates that Salesforce reports for it
(facts 1.3); its retrieve holds its custom children and what somebody deployed into it, never its standard fields.
"""

from __future__ import annotations

from rehearse.practice import components
from rehearse.practice.components import Author, Component
from rehearse.practice.meta_types import EPOCH, path_of
from rehearse.practice.org_state import OrgState

CUSTOMISABLE = (
    "Account", "Campaign", "CampaignMember", "Case", "Contact", "Event", "Lead", "Opportunity",
    "OpportunityContactRole", "OpportunityLineItem", "Pricebook2", "PricebookEntry", "Product2", "Task", "User",
)  # fmt: skip
OWN_PART = """<?xml version="1.0" encoding="UTF-8"?>
<CustomObject xmlns="http://soap.sforce.com/2006/04/metadata">
    <compactLayoutAssignment>SYSTEM</compactLayoutAssignment>
    <enableFeeds>false</enableFeeds>
    <enableHistory>false</enableHistory>
    <sharingModel>ReadWrite</sharingModel>
</CustomObject>
"""


def prepare(org: OrgState) -> None:
    """Add the components of standard objects that are not there yet."""
    known = set(components.names(org, "CustomObject"))
    for name in CUSTOMISABLE:
        if name not in known and org.find_object(name) is not None:
            blank = Component("CustomObject", name, OWN_PART.encode(), path=path_of("CustomObject", name))
            components.save(org, blank, Author("", EPOCH))
            with org.transaction() as db:
                db.execute("UPDATE meta_component SET id = '' WHERE type = 'CustomObject' AND name = ?", (name,))
