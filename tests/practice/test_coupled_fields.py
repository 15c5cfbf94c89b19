"""Fields that hang together: states and countries, dependent picklists, Amount and products [data.md 4, 44 and 45]."""

import base64

import pytest

from rehearse.practice.deploy_access import keep_values
from rehearse.practice.describe import describe_object
from rehearse.practice.features import follow_features
from rehearse.practice.meta_fields import build_field
from rehearse.practice.meta_xml import parse
from rehearse.practice.rows_places import load_places
from rehearse.practice.schema import FieldDef, PicklistValue, build_object, object_as_json

WRONG = "FIELD_INTEGRITY_EXCEPTION"


# ---- state and country codes


@pytest.fixture
def coded(small):
    small.insert("Account", Name="Before", BillingCountry="Ireland", BillingState="Cork", ShippingCountry="Narnia")
    small.settings["state_country_codes"] = True
    follow_features(small.org)
    return small


def place(small, row_id):
    names = "BillingState, BillingStateCode, BillingCountry, BillingCountryCode"
    return tuple(small.one(f"SELECT {names} FROM Account WHERE Id = '{row_id}'").values())


def test_rows_that_are_there_get_codes_where_their_country_is_known(coded):
    row = coded.one("SELECT Id, ShippingCountry, ShippingCountryCode, BillingAddress FROM Account")
    assert place(coded, row["Id"]) == ("Cork", "CO", "Ireland", "IE")
    assert (row["ShippingCountry"], row["ShippingCountryCode"]) == ("Narnia", None)
    assert row["BillingAddress"]["countryCode"] == "IE"
    follow_features(coded.org)  # twice is once


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ({"BillingCountryCode": "US", "BillingStateCode": "CO"}, ("Colorado", "CO", "United States", "US")),
        ({"BillingCountry": "ireland", "BillingState": "cork"}, ("Cork", "CO", "Ireland", "IE")),
        ({"BillingCountryCode": "NO"}, (None, None, "Norway", "NO")),
        ({"BillingCountry": None}, (None, None, None, None)),
    ],
)
def test_data_4_row_45_a_name_and_its_code_follow_each_other(coded, sent, kept):
    assert place(coded, coded.insert("Account", Name="A", **sent)) == kept


@pytest.mark.parametrize(
    ("sent", "code", "words"),
    [
        ({"BillingCountry": "Narnia"}, WRONG, "Please select a country/territory from the list"),
        ({"BillingCountryCode": "XX"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "bad value"),
        ({"BillingCountryCode": "IE", "BillingCountry": "Norway"}, WRONG, "Mismatched integration value and ISO code"),
        ({"BillingStateCode": "CO"}, WRONG, "must be specified before specifying a state"),
        ({"BillingCountryCode": "NO", "BillingStateCode": "CO"}, WRONG, "doesn't recognize the state value"),
        ({"BillingCountryCode": "US", "BillingState": "Cork"}, WRONG, "doesn't recognize the state value"),
    ],
)
def test_data_4_row_45_what_contradicts_is_refused(coded, sent, code, words):
    found = coded.refusal("Account", Name="A", **sent)
    assert found[0] == code
    assert words in found[1]


def test_data_4_row_45_a_country_cannot_leave_its_state_behind(coded):
    row = coded.insert("Account", Name="A", BillingCountryCode="US", BillingStateCode="TX")
    assert coded.update("Account", row, BillingCountryCode="NO").errors[0][0] == WRONG
    assert coded.update("Account", row, BillingCountryCode="NO", BillingStateCode=None).success
    assert place(coded, row) == (None, None, "Norway", "NO")
    assert coded.update("Account", row, Name="Other").success


def test_describes_say_which_state_belongs_to_which_country(coded):
    fields = {one["name"]: one for one in describe_object(coded.org, coded.org.object("Lead"), "67.0")["fields"]}
    assert (fields["StateCode"]["controllerName"], fields["StateCode"]["dependentPicklist"]) == ("CountryCode", True)
    texas = next(one for one in fields["StateCode"]["picklistValues"] if one["label"] == "Texas")
    bits = "".join(f"{byte:08b}" for byte in base64.b64decode(texas["validFor"]))
    assert [place for place, bit in enumerate(bits) if bit == "1"] == [list(load_places()).index("US")]


# ---- dependent picklists


def values(*names, **allowed):
    return tuple(PicklistValue(one, one, valid_for=allowed.get(one, ())) for one in names)


@pytest.fixture
def dependent(small):
    kind = FieldDef("Kind__c", "Kind", "picklist", 40, custom=True, values=values("Pump", "Valve"))
    size = FieldDef("Size__c", "Size", "picklist", 40, custom=True, restricted=True, controller="Kind__c")
    allowed = values("40", "DN8", **{"40": ("Pump",), "DN8": ("Valve",)})
    account = small.org.object("Account").with_field(kind)
    fields = FieldDef(**{**size.__dict__, "values": allowed})
    small.org.put_object(account.with_field(fields))
    return small


def test_data_4_row_45_a_value_needs_its_controlling_value(dependent):
    row = dependent.insert("Account", Name="A", Kind__c="Pump", Size__c="40")
    assert dependent.refusal("Account", Name="A", Kind__c="Pump", Size__c="DN8")[0] == WRONG
    assert dependent.refusal("Account", Name="A", Size__c="DN8")[0] == WRONG
    assert dependent.update("Account", row, Kind__c="Valve").errors[0][0] == WRONG
    assert dependent.update("Account", row, Kind__c="Valve", Size__c="DN8").success
    dependent.settings["dependent_picklists_checked"] = False
    assert dependent.update("Account", row, Size__c="40").success


def test_a_definition_with_a_dependency_survives_the_file(dependent):
    account = dependent.org.object("Account")
    assert build_object(object_as_json(account)).find("Size__c") == account.find("Size__c")


FIELD = """<CustomField xmlns="http://soap.sforce.com/2006/04/metadata"><fullName>Size__c</fullName><label>Size</label>
<type>Picklist</type><valueSet>{inner}<valueSetDefinition><value><fullName>40</fullName><label>40</label></value>
</valueSetDefinition>{settings}</valueSet></CustomField>"""
SETTING = "<valueSettings><controllingFieldValue>{}</controllingFieldValue><valueName>40</valueName></valueSettings>"


def test_metadata_4_1_a_dependency_is_added_and_never_taken_away():
    old = FIELD.format(inner="<controllingField>Kind__c</controllingField>", settings=SETTING.format("Pump")).encode()
    new = FIELD.format(inner="", settings=SETTING.format("Valve")).encode()
    field = build_field(parse(keep_values(old, new)), None)
    assert (field.controller, set(field.values[0].valid_for)) == ("Kind__c", {"Pump", "Valve"})
    plain = build_field(parse(keep_values(old, FIELD.format(inner="", settings="").encode())), None)
    assert (plain.controller, plain.values[0].valid_for) == ("Kind__c", ("Pump",))


# ---- Amount and products


def test_data_4_row_44_with_products_an_amount_is_answered_and_not_written(small):
    product = small.insert("Product2", Name="Pump", IsActive=True)
    book = small.insert("Pricebook2", Name="Standard", IsActive=True)
    price = small.insert("PricebookEntry", Product2Id=product, Pricebook2Id=book, UnitPrice=10, IsActive=True)
    deal = small.insert("Opportunity", Name="D", StageName="Prospecting", CloseDate="2026-12-01", Amount=5)
    line = small.insert("OpportunityLineItem", OpportunityId=deal, PricebookEntryId=price, Quantity=3, UnitPrice=10)
    asked = f"SELECT Amount, HasOpportunityLineItem FROM Opportunity WHERE Id = '{deal}'"
    assert small.one(asked) == {"Amount": 30.0, "HasOpportunityLineItem": True}
    assert small.update("Opportunity", deal, Amount=99).success
    assert small.one(asked)["Amount"] == 30.0
    assert small.update("OpportunityLineItem", line, Quantity=2, UnitPrice=10).success
    assert small.one(asked)["Amount"] == 20.0
    small.delete(line)
    assert small.one(asked)["HasOpportunityLineItem"] is False
    assert small.update("Opportunity", deal, Amount=99).success
    assert small.one(asked)["Amount"] == 99.0


# ---- dates of closing


@pytest.mark.parametrize(
    ("name", "done", "stamped"), [("Case", "Closed", "ClosedDate"), ("Task", "Completed", "CompletedDateTime")]
)
def test_a_reopened_case_or_task_loses_the_date_of_its_closing(small, name, done, stamped):
    row = small.insert(name, Subject="S", Status=done, **({"Priority": "Normal"} if name == "Task" else {}))
    asked = f"SELECT {stamped} FROM {name} WHERE Id = '{row}'"
    first = small.one(asked)[stamped]
    assert first is not None
    small.clock.wait(hours=1)
    small.update(name, row, Subject="Still closed")
    assert small.one(asked)[stamped] == first
    small.update(name, row, Status="In Progress" if name == "Task" else "Working")
    assert small.one(asked)[stamped] is None
    small.update(name, row, Status=done)
    assert small.one(asked)[stamped] > first


# ---- prices that follow each other


def test_prices_of_a_line_follow_each_other_and_are_not_changed_at_once(small):
    product = small.insert("Product2", Name="Pump", IsActive=True)
    book = small.insert("Pricebook2", Name="Trade", IsActive=True)
    price = small.insert("PricebookEntry", Product2Id=product, Pricebook2Id=book, UnitPrice=10, IsActive=True)
    deal = small.insert("Opportunity", Name="D", StageName="Prospecting", CloseDate="2026-12-01")
    named = {"OpportunityId": deal, "PricebookEntryId": price, "Quantity": 4}
    line = small.insert("OpportunityLineItem", **named, UnitPrice=10)

    def prices(**values):
        assert small.update("OpportunityLineItem", line, **values).success
        row = small.one("SELECT UnitPrice, TotalPrice FROM OpportunityLineItem")
        return row["UnitPrice"], row["TotalPrice"]

    assert prices(UnitPrice=5) == (5.0, 20.0)
    assert prices(Quantity=2) == (10.0, 20.0)  # a quantity alone leaves the total
    assert prices(Quantity=4, UnitPrice=10) == (10.0, 40.0)
    assert prices(Discount=50) == (10.0, 20.0)
    assert prices(TotalPrice=40) == (20.0, 40.0)
    refused = small.update("OpportunityLineItem", line, UnitPrice=1, TotalPrice=3)
    assert refused.errors[0][0] == "INVALID_FIELD"
    assert small.update("OpportunityLineItem", line, UnitPrice=20, TotalPrice=3).success, "one of them did not change"
    assert small.refusal("OpportunityLineItem", **named, UnitPrice=1, TotalPrice=4)[0] == "FIELD_INTEGRITY_EXCEPTION"


def test_an_entry_that_uses_the_standard_price_has_none_of_its_own(small):
    product = small.insert("Product2", Name="Pump", IsActive=True)
    standard, trade = (small.insert("Pricebook2", Name=name, IsActive=True) for name in ("Standard", "Trade"))
    small.org.db.execute('UPDATE "Pricebook2" SET "IsStandard" = 1 WHERE "Id" = ?', (standard,))
    first = small.insert("PricebookEntry", Product2Id=product, Pricebook2Id=standard, UnitPrice=7, IsActive=True)
    other = small.insert("PricebookEntry", Product2Id=product, Pricebook2Id=trade, UseStandardPrice=True)
    asked = f"SELECT UnitPrice FROM PricebookEntry WHERE Id = '{other}'"
    assert small.one(asked)["UnitPrice"] == 7.0
    assert small.update("PricebookEntry", first, UnitPrice=8).success
    assert small.one(asked)["UnitPrice"] == 8.0
    assert small.update("PricebookEntry", other, UnitPrice=9).errors[0][0] == "FIELD_INTEGRITY_EXCEPTION"
    assert small.update("PricebookEntry", other, UnitPrice=9, UseStandardPrice=False).success
