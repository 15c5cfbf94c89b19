"""renameMetadata (metadata.md 1.2): what keeps its id and its values, what names it, and what is refused."""

import pytest


def rename(metadata, kind, old, new):
    asked = f"<type>{kind}</type><oldFullName>{old}</oldFullName><newFullName>{new}</newFullName>"
    (result,) = metadata.call("renameMetadata", asked)
    return result["success"] == ["true"], result["fullName"][0], result.get("errors", [{"statusCode": [""]}])[0]


def test_metadata_1_2_a_renamed_field_keeps_its_id_its_values_and_its_places(metadata, rest, tools):
    files = tools.text_field("Before__c")
    given = "<editable>true</editable><field>Account.Before__c</field><readable>true</readable>"
    permission = f"<label>R</label><fieldPermissions>{given}</fieldPermissions>"
    files["permissionsets/Renaming.permissionset"] = tools.xml("PermissionSet", permission)
    files["profiles/Admin.profile"] = tools.xml("Profile", f"<fieldPermissions>{given}</fieldPermissions>")
    files["package.xml"] = tools.manifest(CustomField="Account.Before__c", PermissionSet="Renaming", Profile="Admin")
    assert metadata.deploy(files)["status"] == ["Succeeded"]
    (before,) = (one["id"] for one in metadata.list("CustomField") if one["fullName"] == "Account.Before__c")
    row_id = rest.create("Account", Name="Renamed", Before__c="kept")
    assert rename(metadata, "CustomField", "Account.Before__c", "Account.After__c")[:2] == (True, "Account.After__c")
    (after,) = (one["id"] for one in metadata.list("CustomField") if one["fullName"] == "Account.After__c")
    assert after == before
    assert rest.rows(f"SELECT After__c FROM Account WHERE Id = '{row_id}'")[0]["After__c"] == "kept"
    assert rest("GET", "query", params={"q": "SELECT Before__c FROM Account"}).status_code == 400
    files, _ = metadata.retrieve(PermissionSet="Renaming", CustomField="Account.After__c")
    assert b"Account.After__c" in files["unpackaged/permissionsets/Renaming.permissionset"]
    assert b"<fullName>After__c</fullName>" in files["unpackaged/objects/Account.object"]


@pytest.mark.parametrize(
    ("kind", "old", "new", "code"),
    [
        ("CustomLabel", "No_such", "Other", "INVALID_CROSS_REFERENCE_KEY"),
        ("CustomField", "Invoice__c.Total__c", "Invoice__c.Sum__c", "DEPENDENCY_EXISTS"),
        ("CustomField", "Account.CustomerNumber__c", "Contact.CustomerNumber__c", "INVALID_FULL_NAME"),
        ("CustomField", "Account.CustomerNumber__c", "Account.Bad__Name__c", "INVALID_FULL_NAME"),
        ("CustomObject", "Invoice__c", "Bill__c", "INVALID_OPERATION"),
    ],
)
def test_metadata_1_2_a_rename_that_would_break_something_is_refused(metadata, kind, old, new, code):
    done, name, error = rename(metadata, kind, old, new)
    assert (done, name, error["statusCode"]) == (False, old, [code])


def test_metadata_1_2_an_unknown_type_is_a_fault(metadata, tools):
    with pytest.raises(tools.Fault):
        rename(metadata, "Nonsense", "A", "B")
