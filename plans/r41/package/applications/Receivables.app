<?xml version="1.0" encoding="UTF-8"?>
<CustomApplication xmlns="http://soap.sforce.com/2006/04/metadata">
    <description>Invoices and payments</description>
    <formFactors>Small</formFactors>
    <formFactors>Large</formFactors>
    <isNavAutoTempTabsDisabled>false</isNavAutoTempTabsDisabled>
    <label>Receivables</label>
    <navType>Standard</navType>
    <tabs>standard-Account</tabs>
    <tabs>Invoice__c</tabs>
    <tabs>Payment__c</tabs>
    <tabs>Project__c</tabs>
    <tabs>Machine__c</tabs>
    <tabs>Routing__c</tabs>
    <tabs>PaymentRun__c</tabs>
    <uiType>Lightning</uiType>
</CustomApplication>
