"""The Apex, the trigger, the web component and the static files of the practice company.

A source is text with its companion `-meta.xml`. The practice org never runs Apex; what a trigger does to other rows is
the automation of practice/automation.py, which is on while the trigger here is deployed and active.
"""

from __future__ import annotations

from rehearse.practice.seed_xml import API_VERSION, Xml, render_component

PAYMENT_ROUTER = """\
/** Decides which bank takes a payment. */
public with sharing class PaymentRouter {
    public class NoRouteException extends Exception {}

    public static Routing__c findRoute(Decimal amount, String region) {
        for (Routing__c one : [
            SELECT Code__c, Bank__c, UpTo__c FROM Routing__c
            WHERE Active__c = true AND Region__c = :region ORDER BY Priority__c
        ]) {
            if (one.UpTo__c == null || amount <= one.UpTo__c) {
                return one;
            }
        }
        throw new NoRouteException('No bank takes ' + amount + ' in ' + region);
    }
}
"""

PAYMENT_ROUTER_TEST = """\
@IsTest
private class PaymentRouterTest {
    @IsTest
    static void takesTheFirstBankThatIsLargeEnough() {
        insert new Routing__c(Name = 'Small', Code__c = 'T-1', Region__c = 'North', Priority__c = 1, UpTo__c = 100);
        insert new Routing__c(Name = 'Large', Code__c = 'T-2', Region__c = 'North', Priority__c = 2);
        Assert.areEqual('T-2', PaymentRouter.findRoute(250, 'North').Code__c);
    }
}
"""

INVOICE_TOTALS = """\
/** Keeps what others remember about an invoice: the last invoice of an account and of a project. */
public with sharing class InvoiceTotals {
    public static void remember(List<Invoice__c> invoices) {
        Map<Id, Account> accounts = new Map<Id, Account>();
        for (Invoice__c one : invoices) {
            accounts.put(one.Account__c, new Account(Id = one.Account__c, LastInvoiceOn__c = one.IssuedOn__c));
        }
        update accounts.values();
    }
}
"""

INVOICE_TOTALS_TEST = """\
@IsTest
private class InvoiceTotalsTest {
    @IsTest
    static void remembersTheLastInvoice() {
        Account buyer = new Account(Name = 'Quay Nine');
        insert buyer;
        insert new Invoice__c(Account__c = buyer.Id, IssuedOn__c = Date.newInstance(2026, 3, 2));
        buyer = [SELECT LastInvoiceOn__c FROM Account WHERE Id = :buyer.Id];
        Assert.areEqual(Date.newInstance(2026, 3, 2), buyer.LastInvoiceOn__c);
    }
}
"""

LEGACY_EXPORT = """\
/** Writes payments for the old ledger. The ledger is gone; nobody has dared to remove this. */
public with sharing class LegacyPaymentExport {
    public static String line(Payment__c one) {
        return one.Name + ';' + one.Amount__c + ';' + one.Reference__c;
    }
}
"""

VISIT_PLANNER = """\
/** Proposes the next visit for a machine from the hours that it has run. */
public with sharing class VisitPlanner {
    private static final Integer HOURS_BETWEEN = 2000;

    public static Integer visitsDue(Decimal hoursRun, Integer visitsDone) {
        return Math.max(0, (hoursRun / HOURS_BETWEEN).intValue() - visitsDone);
    }
}
"""

VISIT_PLANNER_TEST = """\
@IsTest
private class VisitPlannerTest {
    @IsTest
    static void countsWhatIsMissing() {
        Assert.areEqual(2, VisitPlanner.visitsDue(6100, 1));
        Assert.areEqual(0, VisitPlanner.visitsDue(1000, 3));
    }
}
"""

DUNNING_LETTER = """\
/** The text of a reminder; the third one is less friendly than the first. */
public with sharing class DunningLetter {
    public static String greeting(Integer level) {
        return level < 3 ? System.Label.Dunning_Friendly : System.Label.Dunning_Firm;
    }
}
"""

INVOICE_TRIGGER = """\
trigger InvoiceTrigger on Invoice__c (after insert, after update) {
    if (Automation__c.getInstance().Off__c || FeatureManagement.checkPermission('Bypass_Automation')) {
        return;
    }
    InvoiceTotals.remember(Trigger.new);
}
"""

PAYMENT_TASKS = """\
trigger PaymentTasks on Payment__c (after update) {
    if (Automation__c.getInstance().Off__c || FeatureManagement.checkPermission('Bypass_Automation')) {
        return;
    }
    List<Task> calls = new List<Task>();
    for (Payment__c one : Trigger.new) {
        if (one.State__c == 'Returned' && Trigger.oldMap.get(one.Id).State__c == 'Open') {
            calls.add(new Task(Subject = 'Returned payment ' + one.Name, WhatId = one.Account__c));
        }
    }
    insert calls;
}
"""

CLASSES = {
    "PaymentRouter": PAYMENT_ROUTER,
    "PaymentRouterTest": PAYMENT_ROUTER_TEST,
    "InvoiceTotals": INVOICE_TOTALS,
    "InvoiceTotalsTest": INVOICE_TOTALS_TEST,
    "LegacyPaymentExport": LEGACY_EXPORT,
    "VisitPlanner": VISIT_PLANNER,
    "VisitPlannerTest": VISIT_PLANNER_TEST,
    "DunningLetter": DUNNING_LETTER,
}

TILE_SCRIPT = """\
import { LightningElement, api } from "lwc";

export default class MachineTile extends LightningElement {
    @api machine;

    get isDown() {
        return this.machine && this.machine.State__c === "Down";
    }
}
"""

TILE_MARKUP = """\
<template>
    <article>
        <h2>{machine.Name}</h2>
        <p lwc:if={isDown}>Down</p>
    </article>
</template>
"""

LOGO = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64" width="64" height="64">
    <path fill="none" stroke="#0b5f7a" stroke-width="5"
          d="M4 40c9-10 19-10 28 0s19 10 28 0M4 24c9-10 19-10 28 0s19 10 28 0"/>
</svg>
"""


def apex_class(name: str, source: str) -> dict[str, bytes]:
    """The two files of an Apex class."""
    meta = render_component("ApexClass", {"apiVersion": API_VERSION, "status": "Active"})
    return {f"classes/{name}.cls": source.encode(), f"classes/{name}.cls-meta.xml": meta}


def apex_trigger(name: str, source: str) -> dict[str, bytes]:
    """The two files of an Apex trigger."""
    meta = render_component("ApexTrigger", {"apiVersion": API_VERSION, "status": "Active"})
    return {f"triggers/{name}.trigger": source.encode(), f"triggers/{name}.trigger-meta.xml": meta}


def static_resource(name: str, content: bytes, content_type: str) -> dict[str, bytes]:
    """The two files of a static resource."""
    meta: Xml = {"cacheControl": "Public", "contentType": content_type, "description": f"{name} of the company"}
    return {
        f"staticresources/{name}.resource": content,
        f"staticresources/{name}.resource-meta.xml": render_component("StaticResource", meta),
    }


def build_code_files() -> dict[str, bytes]:
    """Every file of classes/, triggers/, lwc/ and staticresources/."""
    files: dict[str, bytes] = {}
    for name, source in CLASSES.items():
        files |= apex_class(name, source)
    files |= apex_trigger("InvoiceTrigger", INVOICE_TRIGGER)
    files |= apex_trigger("PaymentTasks", PAYMENT_TASKS)
    tile: Xml = {"apiVersion": API_VERSION, "isExposed": True, "masterLabel": "Machine tile"}
    files["lwc/machineTile/machineTile.js"] = TILE_SCRIPT.encode()
    files["lwc/machineTile/machineTile.html"] = TILE_MARKUP.encode()
    files["lwc/machineTile/machineTile.js-meta.xml"] = render_component("LightningComponentBundle", tile)
    files |= static_resource("CompanyLogo", LOGO.encode(), "image/svg+xml")
    # Bytes that are no text: a capture has to carry them unchanged.
    files |= static_resource("LetterFont", bytes(range(256)) * 9, "font/ttf")
    return files
