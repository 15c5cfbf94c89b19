"""What the company's Apex triggers do, as rules of the practice org's automation; flows speak for themselves.

Each rule carries the name of the trigger that it stands for, so that a deployment which removes the trigger removes the
effect. They touch other rows: an invoice leaves its date on its account, a returned payment makes a task. Both stand
aside for the custom setting Automation__c and for the permission Bypass_Automation.
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
        "PaymentTasks",
        "Payment__c",
        (Action("create", (("Subject", "'Returned payment ' & Name"), ("WhatId", "Account__c")), "Task"),),
        # Only what was open: putting a matched payment back to returned, as a reset may, calls nobody.
        when=f"AND({ON}, ISPICKVAL(State__c, 'Returned'), NOT(ISNEW()), PRIORVALUE(State__c) = 'Open')",
    ),
)


def load_automation_rules(org: OrgState) -> None:
    """Give the org what its triggers do; the org must have its metadata."""
    for rule in RULES:
        put_automation(org, rule)
