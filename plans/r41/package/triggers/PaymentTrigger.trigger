trigger PaymentTrigger on Payment__c (before insert, before update) {
    if (Automation__c.getInstance().Off__c || FeatureManagement.checkPermission('Bypass_Automation')) {
        return;
    }
    PaymentRouter.route(Trigger.new);
}
