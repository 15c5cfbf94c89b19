"""What the company's triggers and flows do, as rules of the practice org's automation.

Each rule carries the name of the Apex trigger or flow that it stands for, so that switching that component off switches
the effect off. They touch other rows: an invoice leaves its date on its account and project, a returned payment makes
a task. All of them stand aside for the custom setting Automation__c and for the permission Bypass_Automation.
"""

from __future__ import annotations

from rehearse.practice.automation import Action, AutomationRule, put_automation
from rehearse.practice.org_state import OrgState

ON = "NOT($Setup.Automation__c.Off__c), NOT($Permission.Bypass_Automation)"

RULES = (
    AutomationRule(
        "InvoiceTrigger",
        "Invoice__c",
        (Action("set_parent", (("LastInvoiceOn__c", "IssuedOn__c"),), "Account__c"),),
        when=f"AND({ON}, NOT(ISBLANK(IssuedOn__c)), OR(ISNEW(), ISCHANGED(IssuedOn__c)))",
    ),
    AutomationRule(
        "Project_Last_Invoice",
        "Invoice__c",
        (Action("set_parent", (("LastInvoiceOn__c", "IssuedOn__c"),), "Project__c"),),
        when=f"AND({ON}, NOT(ISBLANK(Project__c)), OR(ISNEW(), ISCHANGED(IssuedOn__c)))",
    ),
    AutomationRule(
        "Invoice_Reminder",
        "Invoice__c",
        (Action("set", (("RemindedAt__c", "NOW()"),)),),
        when=f"AND({ON}, ISPICKVAL(Status__c, 'Overdue'), OR(ISNEW(), ISCHANGED(Status__c)))",
    ),
    AutomationRule(
        "Case_Urgency",
        "Case",
        (Action("set", (("Priority", "'High'"), ("Severity__c", "'Standstill'"))),),
        events=("insert",),
        when=f"AND({ON}, ISPICKVAL(Reason, 'Breakdown'))",
    ),
    AutomationRule(
        "Returned_Payment",
        "Payment__c",
        (Action("create", (("Subject", "'Returned payment ' & Name"), ("WhatId", "Account__c")), "Task"),),
        when=f"AND({ON}, ISPICKVAL(State__c, 'Returned'), OR(ISNEW(), ISCHANGED(State__c)))",
    ),
)


def load_automation_rules(org: OrgState) -> None:
    """Give the org its automation."""
    for rule in RULES:
        put_automation(org, rule)
