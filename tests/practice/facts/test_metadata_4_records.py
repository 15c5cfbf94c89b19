"""Custom metadata types with records, and custom settings with one row an owner [metadata.md 4.1; data.md 4 row 33]."""

XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
FIELD = (
    "<fields><fullName>Percent__c</fullName><label>Percent</label><precision>5</precision><required>true</required>"
    "<scale>2</scale><type>Number</type></fields>"
)


def value(text, field="Percent__c"):
    return f'<values><field>{field}</field><value xsi:type="xsd:double">{text}</value></values>'


def package(tools, **records):
    """A package with a type for tax rates, and records by name."""
    files = {"objects/TaxRate__mdt.object": tools.xml("CustomObject", f"<label>Tax Rate</label>{FIELD}")}
    for name, inner in records.items():
        body = f"<label>{name}</label><protected>false</protected>{inner}"
        text = tools.xml("CustomMetadata", body).replace(b"<CustomMetadata ", f"<CustomMetadata {XSI} ".encode(), 1)
        files[f"customMetadata/TaxRate.{name}.md"] = text
    members = [f"TaxRate.{name}" for name in records]
    return {"package.xml": tools.manifest(CustomObject="TaxRate__mdt", CustomMetadata=members), **files}


def test_metadata_4_1_a_record_is_a_component_and_a_row_that_no_row_call_writes(metadata, rest, tools):
    assert metadata.deploy(package(tools, Standard=value("23"), Reduced=value("9.5")))["status"] == ["Succeeded"]
    soql = "SELECT Id, DeveloperName, MasterLabel, Percent__c FROM TaxRate__mdt ORDER BY DeveloperName"
    reduced, standard = rest.rows(soql)
    assert (reduced["DeveloperName"], reduced["Percent__c"], standard["Percent__c"]) == ("Reduced", 9.5, 23.0)
    listed = {one["fullName"]: one["id"] for one in metadata.list("CustomMetadata")}
    assert listed == {"TaxRate.Reduced": reduced["Id"], "TaxRate.Standard": standard["Id"]}
    assert reduced["Id"][:3] == rest("GET", "sobjects/TaxRate__mdt/describe").json()["keyPrefix"]
    described = rest("GET", "sobjects/TaxRate__mdt/describe").json()
    assert not (described["createable"] or described["updateable"] or described["deletable"])
    assert rest.error("POST", "sobjects/TaxRate__mdt", {"DeveloperName": "X"})[0] == 400
    assert rest.error("PATCH", f"sobjects/TaxRate__mdt/{reduced['Id']}", {"Percent__c": 1})[0] == 400
    assert rest.error("DELETE", f"sobjects/TaxRate__mdt/{reduced['Id']}")[0] == 400
    assert metadata.deploy(package(tools, Reduced=value("8")))["status"] == ["Succeeded"]
    assert [one["Percent__c"] for one in rest.rows(soql)] == [8.0, 23.0]
    files, _ = metadata.retrieve(CustomMetadata="TaxRate.Reduced")
    assert b">8</value>" in files["unpackaged/customMetadata/TaxRate.Reduced.md"]
    assert metadata.destroy(CustomMetadata="TaxRate.Reduced")["status"] == ["Succeeded"]
    assert [one["DeveloperName"] for one in rest.rows(soql)] == ["Standard"]


def test_metadata_4_1_a_record_that_does_not_fit_its_type_is_refused(metadata, tools):
    for inner, text in (
        ("", "Required fields are missing: [Percent__c]"),
        (value("much"), "much"),
        (value("1", "Other__c"), "no CustomField named TaxRate__mdt.Other__c found"),
    ):
        result = metadata.deploy(package(tools, Wrong=inner))
        assert result["status"] == ["Failed"]
        assert text in " ".join(tools.problems(result))
    lost = package(tools, Lost=value("1"))
    lost["customMetadata/Nothing.Lost.md"] = lost.pop("customMetadata/TaxRate.Lost.md")
    lost["package.xml"] = tools.manifest(CustomObject="TaxRate__mdt", CustomMetadata="Nothing.Lost")
    assert "no CustomObject named Nothing__mdt found" in " ".join(tools.problems(metadata.deploy(lost)))


def test_data_4_row_33_a_custom_setting_has_one_row_an_owner(rest):
    (kept,) = rest.rows("SELECT Id, SetupOwnerId FROM Automation__c")
    assert kept["SetupOwnerId"][:3] == "00D"
    assert rest.error("POST", "sobjects/Automation__c", {"Name": "again"})[:2] == (400, "DUPLICATE_VALUE")
    (user,) = rest.rows("SELECT Id FROM User WHERE Alias = 'loader'")
    own = rest.create("Automation__c", SetupOwnerId=user["Id"])
    assert rest.error("PATCH", f"sobjects/Automation__c/{own}", {"SetupOwnerId": kept["SetupOwnerId"]})[0] == 400
    assert rest("DELETE", f"sobjects/Automation__c/{own}").status_code == 204
