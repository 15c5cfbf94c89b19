"""The custom objects of the practice company that carry work: projects, their people, machines, visits, switches.

Project__c shows every field type; ProjectMember__c has two masters; a visit disappears with its machine (cascade);
Automation__c (a hierarchy custom setting) and TriggerSwitch__c are the two ways to switch automation off for a while.
"""

from __future__ import annotations

from rehearse.practice import seed_fields as f
from rehearse.practice.seed_objects import compact_layout, custom_object, list_view, record_type, rule
from rehearse.practice.seed_xml import Xml

SKILLS = ("Hydraulics", "Controls", "Welding", "Commissioning", "Calibration", "Diving")

PROJECT = custom_object(
    "Project__c",
    "Project",
    [
        f.lookup("Account__c", "Account", "Account", "Projects"),
        f.lookup("Parent__c", "Part of", "Project__c", "Parts"),
        f.lookup("Sponsor__c", "Sponsor", "Contact", "SponsoredProjects"),
        f.lookup("Lead__c", "Project lead", "User", "LedProjects"),
        f.auto_number("Number__c", "Number", "PRJ-{00000}"),
        f.key("ExternalKey__c", "Key in the planning system"),
        f.picklist("Stage__c", "Stage", ("Idea", "Planned", "Running", "On hold", "Done")),
        f.shared_picklist("Region__c", "Region", "Sales_Region"),
        f.picklist("Skills__c", "Skills", SKILLS, many=True),
        f.money("Budget__c", "Budget"),
        f.money("Spent__c", "Spent"),
        f.formula("Left__c", "Left", "Currency", "Budget__c - Spent__c", precision=18, scale=2),
        f.number("Progress__c", "Progress", (5, 2), "Percent"),
        f.number("Headcount__c", "Headcount", (6, 0)),
        f.number("Factor__c", "Risk factor", (18, 8)),
        f.checkbox("Active__c", "Active", True),
        f.checkbox("Confidential__c", "Confidential"),
        f.plain("Start__c", "Start", "Date"),
        f.plain("End__c", "End", "Date"),
        f.plain("KickOff__c", "Kick-off", "DateTime"),
        f.plain("ContactEmail__c", "Project mailbox", "Email"),
        f.plain("Hotline__c", "Hotline", "Phone"),
        f.plain("Site__c", "Site", "Url"),
        f.plain("Remark__c", "Remark", "TextArea"),
        f.long_text("Brief__c", "Brief", length=131072),
        f.long_text("Story__c", "Story", "Html"),
        f.encrypted("GateCode__c", "Gate code"),
        f.roll_up("MemberCount__c", "Members", "ProjectMember__c.Project__c"),
        f.plain("LastInvoiceOn__c", "Last invoice", "Date"),
    ],
    validationRules=[
        rule("End_After_Start", "End__c < Start__c", "A project ends after it starts.", "End__c"),
        rule("Done_Has_End", "AND(ISPICKVAL(Stage__c, 'Done'), ISBLANK(End__c))", "When was it done?", "End__c"),
        rule("Old_Budget_Limit", "Budget__c > 900000000", "Ask the board.", "Budget__c", active=False),
    ],
    recordTypes=[
        record_type("Customer_Project", "Customer project", "Sold to a customer"),
        record_type("Internal_Project", "Internal project", "Paid by ourselves"),
    ],
    listViews=[
        list_view("All", "All", ("NAME", "Stage__c", "Budget__c")),
        list_view("Running", "Running", ("NAME", "Progress__c"), ("Stage__c", "equals", "Running")),
    ],
    compactLayouts=[compact_layout("Project_Head", "Project head", ("Name", "Stage__c", "Start__c"))],
)

PROJECT_MEMBER = custom_object(
    "ProjectMember__c",
    "Project Member",
    [
        f.master("Project__c", "Project", "Project__c", "Members", 0),
        f.master("Contact__c", "Contact", "Contact", "Memberships", 1),
        f.picklist("Role__c", "Role", ("Engineer", "Buyer", "Inspector", "Guest")),
        f.number("Share__c", "Share", (5, 2), "Percent"),
        f.plain("From__c", "From", "Date"),
    ],
    number="MEM-{00000}",
)

MACHINE = custom_object(
    "Machine__c",
    "Machine",
    [
        f.lookup("Account__c", "Operator", "Account", "Machines"),
        f.lookup("Product__c", "Model", "Product2", "Machines"),
        f.lookup("Project__c", "Delivered by", "Project__c", "Machines"),
        f.text("SerialNumber__c", "Serial number", 30, unique=True, caseSensitive=False),
        f.picklist("State__c", "State", ("Ordered", "Running", "Down", "Scrapped")),
        f.plain("InstalledOn__c", "Installed on", "Date"),
        f.number("HoursRun__c", "Hours run", (18, 2)),
        f.number("Pressure__c", "Pressure", (16, 6)),
        f.plain("LastVisitAt__c", "Last visit", "DateTime"),
        f.number("OpenVisits__c", "Open visits", (6, 0)),
    ],
    listViews=[list_view("All", "All", ("NAME", "SerialNumber__c", "State__c"))],
)

SERVICE_VISIT = custom_object(
    "ServiceVisit__c",
    "Service Visit",
    [
        f.lookup("Machine__c", "Machine", "Machine__c", "Visits", "Cascade"),
        f.lookup("Case__c", "Case", "Case", "Visits"),
        f.lookup("Technician__c", "Technician", "User", "Visits"),
        f.plain("StartsAt__c", "Starts at", "DateTime"),
        f.number("Hours__c", "Hours", (5, 2)),
        f.picklist("State__c", "State", ("Planned", "On site", "Finished", "Dropped")),
        f.number("Rating__c", "Rating", (2, 1)),
        f.long_text("Report__c", "Report"),
    ],
    number="VIS-{00000}",
)

TRIGGER_SWITCH = custom_object(
    "TriggerSwitch__c",
    "Trigger Switch",
    [f.checkbox("Active__c", "Active", True), f.plain("Remark__c", "Remark", "TextArea")],
    plural="Trigger Switches",
)

AUTOMATION: Xml = {
    "customSettingsType": "Hierarchy",
    "description": "Switches automation off for a profile or a user while data is loaded.",
    "enableFeeds": False,
    "fields": [f.checkbox("Off__c", "Off")],
    "label": "Automation",
    "visibility": "Public",
}

OBJECTS: dict[str, Xml] = {
    "Project__c": PROJECT,
    "ProjectMember__c": PROJECT_MEMBER,
    "Machine__c": MACHINE,
    "ServiceVisit__c": SERVICE_VISIT,
    "TriggerSwitch__c": TRIGGER_SWITCH,
    "Automation__c": AUTOMATION,
}
