"""Describes: what they promise is what rows and queries do, and their flags are those of recorded describes."""

import pytest

from rehearse.practice.describe import describe_global, describe_object
from rehearse.practice.rows_check import may_write

# From recorded describes: object, field, flags that must hold.
RECORDED = [
    ("Account", "Name", {"nillable": False, "nameField": True, "type": "string", "length": 255}),
    ("Account", "AnnualRevenue", {"precision": 18, "scale": 0, "type": "currency", "soapType": "xsd:double"}),
    ("Account", "NumberOfEmployees", {"digits": 8, "precision": 0, "type": "int", "soapType": "xsd:int"}),
    ("Account", "BillingLatitude", {"precision": 18, "scale": 15, "compoundFieldName": "BillingAddress"}),
    ("Account", "BillingAddress", {"type": "address", "soapType": "urn:address", "createable": False}),
    ("Account", "Description", {"filterable": False, "sortable": False, "type": "textarea", "length": 32000}),
    ("Account", "OwnerId", {"defaultedOnCreate": True, "nillable": False, "referenceTo": ["User"]}),
    ("Account", "SystemModstamp", {"createable": False, "updateable": False, "defaultedOnCreate": True}),
    ("Contact", "Name", {"createable": False, "updateable": False, "nillable": False, "type": "string", "length": 121}),
    ("Contact", "Email", {"idLookup": True, "type": "email"}),
    ("Contact", "AccountId", {"relationshipName": "Account", "cascadeDelete": False, "type": "reference"}),
    ("Case", "OwnerId", {"referenceTo": ["Group", "User"], "polymorphicForeignKey": True, "namePointing": True}),
    ("Case", "CaseNumber", {"autoNumber": True, "createable": False, "nameField": True, "nillable": False}),
    ("Case", "Status", {"nillable": True, "defaultValue": "New", "restrictedPicklist": False}),
    ("Lead", "Status", {"nillable": False, "defaultedOnCreate": True}),
    ("Opportunity", "IsClosed", {"createable": False, "calculated": False, "defaultValue": False, "type": "boolean"}),
    ("OpportunityContactRole", "OpportunityId", {"createable": True, "updateable": False, "nillable": False}),
    ("Invoice__c", "Label__c", {"calculatedFormula": 'Name & " " & TEXT(Rate__c)', "createable": False}),
    ("Invoice__c", "Total__c", {"calculated": True, "calculatedFormula": None, "updateable": False}),
    ("Invoice__c", "Name", {"autoNumber": True, "createable": False, "nameField": True}),
    ("Invoice__c", "Code__c", {"externalId": True, "unique": True, "idLookup": True, "custom": True}),
    ("Line__c", "Invoice__c", {"relationshipOrder": 0, "cascadeDelete": True, "updateable": False, "nillable": False}),
    ("Join__c", "Invoice__c", {"relationshipOrder": 1, "updateable": True}),
    ("Tag__c", "Bound__c", {"restrictedDelete": True, "cascadeDelete": False, "relationshipOrder": None}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "field", "flags"), RECORDED, ids=lambda part: str(part)[:30])
def test_a_field_has_the_flags_of_real_describes(small, name, field, flags):
    described = describe_object(small.org, small.org.object(name), "67.0")
    (found,) = (one for one in described["fields"] if one["name"] == field)
    assert {key: found[key] for key in flags} == flags


def test_what_a_describe_calls_writable_is_what_rows_accept(small):
    for definition in small.org.objects().values():
        for shown in describe_object(small.org, definition, "67.0")["fields"]:
            field = definition.find(shown["name"])
            assert shown["createable"] == may_write(small.org, field, creating=True), (definition.name, field.name)
            assert shown["updateable"] == may_write(small.org, field, creating=False), (definition.name, field.name)


def test_a_master_has_no_owner_below_it_and_knows_its_children(small):
    assert small.org.object("Line__c").find("OwnerId") is None
    children = describe_object(small.org, small.org.object("Invoice__c"), "67.0")["childRelationships"]
    found = {(one["childSObject"], one["field"]): one for one in children}
    assert found["Line__c", "Invoice__c"]["relationshipName"] == "Lines__r"
    assert found["Line__c", "Invoice__c"]["cascadeDelete"] and found["Tag__c", "Along__c"]["cascadeDelete"]
    assert found["Tag__c", "Bound__c"]["restrictedDelete"] and not found["Tag__c", "Free__c"]["cascadeDelete"]


def test_the_global_describe_lists_every_object_once(small):
    names = [one["name"] for one in describe_global(small.org, "60.0")["sobjects"]]
    assert names == sorted(set(names)) and {"Account", "Invoice__c", "BackgroundOperation"} <= set(names)


def test_record_types_are_listed_before_the_master_one(small):
    made = small.insert("RecordType", Name="Loud", DeveloperName="Loud", SobjectType="Account", IsActive=True)
    infos = describe_object(small.org, small.org.object("Account"), "67.0")["recordTypeInfos"]
    assert [(one["developerName"], one["master"]) for one in infos] == [("Loud", False), ("Master", True)]
    assert infos[0]["recordTypeId"] == made
