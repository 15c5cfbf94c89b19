"""The Apex of release R41, payments rework: what it changes and what it adds."""

from __future__ import annotations

PAYMENT_ROUTER = """\
/** Decides which bank takes a payment, and remembers the decision on the payment. */
public with sharing class PaymentRouter {
    public class NoRouteException extends Exception {}

    public static Routing__c findRoute(Decimal amount, String region) {
        for (Routing__c one : [
            SELECT Code__c, Bank__c, UpTo__c FROM Routing__c
            WHERE Active__c = true AND Region__c = :region ORDER BY Priority__c, Code__c
        ]) {
            if (one.UpTo__c == null || amount <= one.UpTo__c) {
                return one;
            }
        }
        throw new NoRouteException(System.Label.No_Route);
    }

    public static void route(List<Payment__c> payments) {
        Set<Id> accounts = new Set<Id>();
        for (Payment__c one : payments) {
            accounts.add(one.Account__c);
        }
        Map<Id, Account> buyers = new Map<Id, Account>([SELECT Region__c FROM Account WHERE Id IN :accounts]);
        for (Payment__c one : payments) {
            Account buyer = buyers.get(one.Account__c);
            if (buyer != null && buyer.Region__c != null) {
                one.Route__c = findRoute(one.Amount__c, buyer.Region__c).Id;
            }
        }
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

    @IsTest
    static void leavesPaymentsOfNobodyAlone() {
        Payment__c one = new Payment__c(Amount__c = 12);
        PaymentRouter.route(new List<Payment__c>{ one });
        Assert.isNull(one.Route__c);
    }
}
"""

PAYMENT_RUN_BATCH = """\
/** Puts routed payments into a run, two hundred at a time. */
public with sharing class PaymentRunBatch implements Database.Batchable<SObject> {
    private final Id runId;

    public PaymentRunBatch(Id runId) {
        this.runId = runId;
    }

    public Database.QueryLocator start(Database.BatchableContext context) {
        return Database.getQueryLocator([SELECT Id FROM Payment__c WHERE Run__c = null AND Route__c != null]);
    }

    public void execute(Database.BatchableContext context, List<Payment__c> payments) {
        for (Payment__c one : payments) {
            one.Run__c = runId;
        }
        update payments;
    }

    public void finish(Database.BatchableContext context) {
        update new PaymentRun__c(Id = runId, State__c = 'Sent');
    }
}
"""

PAYMENT_TRIGGER = """\
trigger PaymentTrigger on Payment__c (before insert, before update) {
    if (Automation__c.getInstance().Off__c || FeatureManagement.checkPermission('Bypass_Automation')) {
        return;
    }
    PaymentRouter.route(Trigger.new);
}
"""

LOGO = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64" width="64" height="64">
    <path fill="none" stroke="#0b5f7a" stroke-width="5"
          d="M4 44c9-10 19-10 28 0s19 10 28 0M4 30c9-10 19-10 28 0s19 10 28 0M4 16c9-10 19-10 28 0s19 10 28 0"/>
</svg>
"""
