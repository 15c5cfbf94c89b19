"""What a user may do: object permissions, View and Modify All Data, set-up rows, and permissions for single rules.

The seed's people: administrators see everything, sales nothing of cases and payments, accounting nothing of leads.
"""

import pytest

from rehearse.practice import field_security, rows
from rehearse.practice.field_security import as_user
from rehearse.practice.http_errors import ApiError
from rehearse.practice.schema import FieldDef
from rehearse.practice.user_rights import grants_of, rights_of


def person(org, alias):
    """The id of one of the seed's people."""
    with org.lock:
        return org.db.execute('SELECT "Id" FROM "User" WHERE "Alias" = ?', (alias,)).fetchone()[0]


@pytest.fixture(scope="module")
def org(shared_practice):
    return shared_practice.estate.sandbox("DEV1")


@pytest.fixture(scope="module")
def ask(shared_practice, org):
    """Requests of one of the people: ask(alias, method, path, ...) -> (status, body)."""

    def asked(alias, method, path, **how):
        token = shared_practice.estate.issue_token(org, person(org, alias))
        answer = shared_practice.ask("DEV1", method, path, headers={"Authorization": f"Bearer {token}"}, **how)
        return answer.status_code, answer.json() if answer.content else None

    return asked


def code(answer):
    return answer[0], answer[1][0]["errorCode"]


# ---- objects


def test_what_a_user_may_not_read_is_not_there(ask):
    listed = {one["name"] for one in ask("sales1", "GET", "sobjects")[1]["sobjects"]}
    assert {"Account", "Opportunity", "OpportunityLineItem", "Task", "User"} < listed
    assert not listed & {"Payment__c", "Case", "Machine__c"}
    assert code(ask("sales1", "GET", "sobjects/Case/describe")) == (404, "NOT_FOUND")
    assert code(ask("sales1", "GET", "query", params={"q": "SELECT Id FROM Case"})) == (400, "INVALID_TYPE")
    child = {"q": "SELECT Id, (SELECT Id FROM Cases) FROM Account"}
    assert code(ask("sales1", "GET", "query", params=child)) == (400, "INVALID_TYPE")
    semi = {"q": "SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Case)"}
    assert code(ask("sales1", "GET", "query", params=semi)) == (400, "INVALID_TYPE")
    job = {"operation": "query", "query": "SELECT Id FROM Case"}
    assert code(ask("sales1", "POST", "jobs/query", json=job)) == (400, "INVALIDENTITY")


def test_an_administrator_sees_and_writes_everything(ask, org):
    listed = {one["name"] for one in ask("admin", "GET", "sobjects")[1]["sobjects"]}
    assert listed == set(org.objects())
    assert ask("admin", "POST", "sobjects/Case", json={"Subject": "From the top"})[0] == 201


def test_reading_is_not_writing(ask, org):
    row = ask("admin", "POST", "sobjects/Account", json={"Name": "Theirs"})[1]["id"]
    assert ask("sales1", "PATCH", f"sobjects/Account/{row}", json={"Site": "Dock"})[0] == 204
    assert code(ask("sales1", "DELETE", f"sobjects/Account/{row}")) == (400, "INSUFFICIENT_ACCESS_OR_READONLY")
    refused = ask("books1", "POST", "sobjects/Lead", json={"LastName": "No", "Company": "C"})
    assert code(refused) == (404, "NOT_FOUND")
    held = [{"Id": row, "Name": "x"}]
    with as_user(person(org, "desk1")):
        assert rows.update(org, "", "Account", held)[0].success
        (saved,) = rows.insert(org, person(org, "desk1"), "Lead", [{"LastName": "No", "Company": "C"}])
    assert saved.errors[0][0] == "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"


def test_set_up_rows_need_manage_users_but_everybody_has_his_own(ask, org):
    mine, other = person(org, "sales1"), person(org, "sales2")
    assert ask("sales1", "PATCH", f"sobjects/User/{mine}", json={"Title": "Head"})[0] == 204
    refused = ask("sales1", "PATCH", f"sobjects/User/{other}", json={"Title": "Hand"})
    assert code(refused) == (400, "INSUFFICIENT_ACCESS_OR_READONLY")
    assert ask("admin", "PATCH", f"sobjects/User/{other}", json={"Title": "Hand"})[0] == 204


def test_a_setting_switches_objects_off(ask, shared_practice):
    shared_practice.estate.settings.put("object_permissions", False)
    try:
        assert ask("sales1", "GET", "query", params={"q": "SELECT Id FROM Case LIMIT 1"})[0] == 200
    finally:
        shared_practice.estate.settings.clear("object_permissions")


def test_metadata_needs_a_permission(org):
    field_security.require_metadata(org, person(org, "admin"))
    with pytest.raises(ApiError, match="requires a user with the ModifyAllData or ModifyMetadata"):
        field_security.require_metadata(org, person(org, "sales1"))


# ---- how rights add up


def test_profile_and_permission_sets_add_up_and_a_dropped_assignment_no_longer_counts(org):
    books = rights_of(org, person(org, "books1"))
    assert "Payment__c.edit" in books.verbs
    assert "Payment__c.Rate__c" in books.reads
    loader = rights_of(org, person(org, "loader"))
    assert {"ModifyAllData", "BulkApiHardDelete"} <= loader.permissions
    (held,) = org.db.execute(
        'SELECT "Id" FROM "PermissionSetAssignment" WHERE "AssigneeId" = ?', (person(org, "loader"),)
    ).fetchone()
    assert rows.delete(org, person(org, "admin"), [held])[0].success
    assert "BulkApiHardDelete" not in rights_of(org, person(org, "loader")).permissions


def test_a_user_without_a_profile_in_the_metadata_has_no_bounds(small):
    assert rights_of(small.org, small.user_id) is None


def test_grants_are_read_from_either_kind_of_file():
    inner = "<fieldPermissions><field>A.B__c</field><readable>true</readable></fieldPermissions>"
    inner += "<objectPermissions><object>A</object><allowRead>true</allowRead></objectPermissions>"
    inner += "<userPermissions><enabled>false</enabled><name>Off</name></userPermissions>"
    found = grants_of(f"<PermissionSet>{inner}</PermissionSet>".encode())
    assert (found.reads, found.writes, found.verbs, found.permissions) == ({"A.B__c"}, set(), {"A.read"}, set())


# ---- permissions for single rules


@pytest.fixture
def given(org):
    """Give sales1 a user permission through a permission set of its own, as the metadata has it."""

    def give(*names):
        inner = "".join(
            f"<userPermissions><enabled>true</enabled><name>{one}</name></userPermissions>" for one in names
        )
        sql = "UPDATE meta_component SET xml = ? WHERE type = 'PermissionSet' AND name = 'Read_Receivables'"
        with org.transaction() as db:
            db.execute(sql, (f"<PermissionSet>{inner}</PermissionSet>".encode(),))
        return person(org, "sales1")

    with org.lock:
        sql = "SELECT xml FROM meta_component WHERE type = 'PermissionSet' AND name = 'Read_Receivables'"
        before = org.db.execute(sql).fetchone()
    yield give
    with org.transaction() as db:
        db.execute(
            "UPDATE meta_component SET xml = ? WHERE type = 'PermissionSet' AND name = 'Read_Receivables'", before
        )


def test_data_4_row_50_only_view_encrypted_data_shows_an_encrypted_text(ask, given, org):
    if org.object("Account").find("Pin__c") is None:
        field = FieldDef("Pin__c", "Pin", "encryptedstring", length=20, custom=True, encrypted=True, required=True)
        org.put_object(org.object("Account").with_field(field))
    with as_user(None):
        rows.insert(org, person(org, "admin"), "Account", [{"Name": "Pinned", "Pin__c": "1234"}])
    soql = {"q": "SELECT Pin__c FROM Account WHERE Name = 'Pinned'"}
    assert ask("admin", "GET", "query", params=soql)[1]["records"][0]["Pin__c"] == "****"
    given("ViewEncryptedData")
    assert ask("sales1", "GET", "query", params=soql)[1]["records"][0]["Pin__c"] == "1234"
    org.put_object(org.object("Account").without_field("Pin__c"))


def test_data_4_row_16_audit_fields_are_given_on_insert_with_the_permission_only(given, org):
    row = {"Name": "Old", "CreatedDate": "2001-02-03T04:05:06Z"}
    sales = person(org, "sales1")
    with as_user(sales):
        assert rows.insert(org, sales, "Account", [row])[0].errors[0][0] == "INVALID_FIELD_FOR_INSERT_UPDATE"
    given("CreateAuditFields")
    with as_user(sales):
        (saved,) = rows.insert(org, sales, "Account", [row])
        changed = rows.update(org, sales, "Account", [{"Id": saved.id, "CreatedDate": "2002-02-03T04:05:06Z"}])
        key = {**row, "CustomerNumber__c": "AUDIT-1"}
        upserted = rows.upsert(org, sales, "Account", "CustomerNumber__c", [key])
    stamp = org.db.execute('SELECT "CreatedDate" FROM "Account" WHERE "Id" = ?', (saved.id,)).fetchone()[0]
    assert stamp == "2001-02-03T04:05:06.000Z"
    refused = "INVALID_FIELD_FOR_INSERT_UPDATE"
    assert [one[0].errors[0][0] for one in (changed, upserted)] == [refused, refused]


def test_data_4_row_23_an_inactive_owner_needs_the_permission(given, org):
    sales, gone = person(org, "sales1"), person(org, "gone")
    with as_user(sales):
        (saved,) = rows.insert(org, sales, "Account", [{"Name": "Left", "OwnerId": gone}])
    assert saved.errors[0][0] == "INACTIVE_OWNER_OR_USER"
    given("UpdateWithInactiveOwners")
    with as_user(sales):
        assert rows.insert(org, sales, "Account", [{"Name": "Left", "OwnerId": gone}])[0].success


def test_definitions_can_be_queried_by_everybody_who_may_query(ask):
    soql = "SELECT QualifiedApiName FROM FieldDefinition WHERE EntityDefinition.QualifiedApiName = 'Account'"
    for path in ("query", "tooling/query"):
        assert ask("sales1", "GET", path, params={"q": soql})[0] == 200


def test_everybody_may_ask_what_he_himself_may_do(ask, given):
    fields = "PermissionsViewAllData, PermissionsModifyAllData, PermissionsViewEncryptedData"
    soql = {"q": f"SELECT Id, {fields} FROM UserPermissionAccess"}

    def held(alias):
        (row,) = ask(alias, "GET", "query", params=soql)[1]["records"]
        return [row[one] for one in fields.split(", ")]

    assert held("admin") == [True, True, False]
    assert held("sales1") == [False, False, False]
    given("ModifyAllData", "ViewEncryptedData")
    assert held("sales1") == [True, True, True]  # Modify All Data brings View All Data along
    unknown = ask("sales1", "GET", "query", params={"q": "SELECT PermissionsFly FROM UserPermissionAccess"})
    assert code(unknown) == (400, "INVALID_FIELD")
    told = ask("sales1", "GET", "sobjects/UserPermissionAccess/describe")[1]
    assert (told["keyPrefix"], told["queryable"], told["retrieveable"], told["createable"]) == (
        "0up",
        True,
        False,
        False,
    )
