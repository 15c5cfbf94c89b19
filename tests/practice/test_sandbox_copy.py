"""What a copy takes along and what it changes: ids, users, e-mail, org ids in text, schedules, samples."""

import pytest

from rehearse.practice import components, deploy
from rehearse.practice.components import Author, Component
from rehearse.practice.sandbox_sample import spread

TEMPLATE = "1ps000000000001"


def select(org, sql):
    with org.lock:
        return [tuple(row) for row in org.db.execute(sql)]


def column(org, sql):
    return [row[0] for row in select(org, sql)]


def test_sandbox_1_8_a_full_copy_has_the_same_records_under_the_same_ids_but_no_recycle_bin(company):
    company.ready()
    production, sandbox = company.estate.production, company.estate.sandbox("UAT")
    accounts = 'SELECT "Id", "Name", "ParentId" FROM "Account" ORDER BY "Id"'
    assert select(sandbox, accounts) == select(production, accounts)
    live = 'SELECT "Id", "AccountId", "Email" FROM "Contact" WHERE "IsDeleted" = 0 ORDER BY "Id"'
    assert select(sandbox, live) == select(production, live)
    assert column(production, 'SELECT count(*) FROM "Contact" WHERE "IsDeleted" = 1') == [1]
    assert column(sandbox, 'SELECT count(*) FROM "Contact" WHERE "IsDeleted" = 1') == [0]


def test_a_copy_has_its_own_organization_row(company):
    info_id = company.ready()
    production, sandbox = company.estate.production, company.estate.sandbox("UAT")
    ((org_id, name, is_sandbox, instance, trial),) = select(
        sandbox, 'SELECT "Id", "Name", "IsSandbox", "InstanceName", "TrialExpirationDate" FROM "Organization"'
    )
    assert org_id[:15] == company.row(info_id)["SandboxOrganization"]
    assert (name, is_sandbox, trial) == ("Acme", 1, None)
    assert instance not in (None, "EU47")
    assert len(instance) <= 5
    assert not production.is_sandbox


def test_sandbox_1_8_users_get_the_sandbox_name_and_lose_their_mail_except_the_requester(company):
    company.ready("UatOne")
    users = select(company.estate.sandbox("UatOne"), 'SELECT "Username", "Email" FROM "User" ORDER BY "Id"')
    assert users == [
        ("ann@acme.example.uatone", "ann@acme.example"),
        ("bob@acme.example.uatone", "bob@acme.example.invalid"),
        ("cem@acme.example.uatone", "cem@acme.example.invalid"),
    ]


def test_members_of_the_access_group_keep_their_mail(company):
    group, bob = "00G000000000001EAA", company.user_ids[1]
    production = company.estate.production
    with production.transaction() as db:
        db.execute(
            'INSERT INTO "GroupMember" ("Id", "GroupId", "UserOrGroupId") VALUES (?, ?, ?)',
            (production.new_id("011"), group, bob),
        )
    company.ready("DEV", "Developer", ActivationUserGroupId=group[:15])
    mails = column(company.estate.sandbox("DEV"), 'SELECT "Email" FROM "User" ORDER BY "Id"')
    assert mails == ["ann@acme.example", "bob@acme.example", "cem@acme.example.invalid"]


def test_sandbox_1_8_a_username_that_is_taken_elsewhere_gets_characters_in_front(company):
    production = company.estate.production
    with production.transaction() as db:
        db.execute('UPDATE "User" SET "Username" = ? WHERE "Id" = ?', ("Ann@acme.example.uat", company.user_ids[2]))
    company.ready()
    names = column(company.estate.sandbox("UAT"), 'SELECT "Username" FROM "User" ORDER BY "Id"')
    assert names[0].endswith("ann@acme.example.uat")
    assert names[0] != "ann@acme.example.uat"
    assert names[1:] == ["bob@acme.example.uat", "Ann@acme.example.uat.uat"]


def test_a_refresh_gives_the_same_usernames_again(company):
    info_id = company.ready("DEV", "Developer")
    before = column(company.estate.sandbox("DEV"), 'SELECT "Username" FROM "User" ORDER BY "Id"')
    company.wait(days=1)
    company.refresh(info_id, "Developer", AutoActivate=True)
    company.finish()
    assert column(company.estate.sandbox("DEV"), 'SELECT "Username" FROM "User" ORDER BY "Id"') == before


def test_sandbox_1_8_contact_mail_is_not_touched(company):
    company.ready()
    assert set(column(company.estate.sandbox("UAT"), 'SELECT "Email" FROM "Contact"')) == {"someone@customer.example"}


def test_sandbox_1_8_org_ids_inside_text_become_the_new_one_unless_a_setting_says_no(company):
    company.ready()
    production, sandbox = company.estate.production, company.estate.sandbox("UAT")
    new = sandbox.org_id
    for text in column(sandbox, 'SELECT "Description" FROM "Account"'):
        assert text == f"https://x/?org={new} or {new[:15]}."
    company.estate.settings.put("copy_replaces_org_id", False)
    company.ready("RAW")
    old = production.org_id
    for text in column(company.estate.sandbox("RAW"), 'SELECT "Description" FROM "Account"'):
        assert text == f"https://x/?org={old} or {old[:15]}."


def test_org_ids_inside_metadata_become_the_new_one(company):
    from rehearse.practice import components

    production = company.estate.production
    components.prepare(production)
    with production.transaction() as db:
        db.execute(
            "INSERT INTO meta_file (type, name, path, body) VALUES (?, ?, ?, ?)",
            ("StaticResource", "Links", "staticresources/Links.resource", f"id={production.org_id}".encode()),
        )
        db.execute("INSERT INTO meta_job (id, kind) VALUES ('0Af000000000001AAA', 'deploy')")
    company.ready("DEV", "Developer")
    sandbox = company.estate.sandbox("DEV")
    assert column(sandbox, "SELECT body FROM meta_file WHERE name = 'Links'") == [f"id={sandbox.org_id}".encode()]
    assert column(sandbox, "SELECT id FROM meta_job") == []
    assert column(production, "SELECT id FROM meta_job") == ["0Af000000000001AAA"]


def test_sandbox_1_8_schedules_and_histories_do_not_arrive_and_mail_is_system_only(company):
    company.ready()
    sandbox = company.estate.sandbox("UAT")
    assert column(sandbox, 'SELECT "Id" FROM "CronTrigger"') == []
    assert column(sandbox, 'SELECT "Id" FROM "LoginHistory"') == []
    assert column(sandbox, "SELECT value FROM org_facts WHERE name = 'email_deliverability'") == ["system"]
    assert len(column(company.estate.production, 'SELECT "Id" FROM "CronTrigger"')) == 1


def test_a_setting_lets_schedules_run_on(company):
    company.estate.settings.put("copy_stops_schedules", False)
    company.ready()
    assert len(column(company.estate.sandbox("UAT"), 'SELECT "Id" FROM "CronTrigger"')) == 1


@pytest.mark.parametrize("licence", ["Developer", "Developer_Pro"])
def test_sandbox_1_8_a_developer_copy_has_users_and_metadata_but_no_records(company, licence):
    company.ready("DEV", licence)
    sandbox = company.estate.sandbox("DEV")
    assert column(sandbox, 'SELECT "Id" FROM "Account"') == column(sandbox, 'SELECT "Id" FROM "Contact"') == []
    assert column(sandbox, 'SELECT count(*) FROM "User"') == [3]
    assert set(sandbox.objects()) == set(company.estate.production.objects())


@pytest.mark.parametrize("most", [0, 1, 2, 3, 100])
def test_sandbox_1_8_a_partial_copy_is_a_sample_in_which_no_reference_hangs(company, most):
    company.estate.settings.put("sample_records", most)
    company.ready("SIT", "Partial", TemplateId=TEMPLATE)
    sandbox = company.estate.sandbox("SIT")
    contacts, accounts = column(sandbox, 'SELECT "Id" FROM "Contact"'), column(sandbox, 'SELECT "Id" FROM "Account"')
    assert len(contacts) == min(most, 5)
    for referred in column(sandbox, 'SELECT "AccountId" FROM "Contact" UNION SELECT "ParentId" FROM "Account"'):
        assert referred is None or referred in accounts
    assert len(accounts) >= min(most, 6)


def test_the_same_production_gives_the_same_sample(company):
    company.estate.settings.put("sample_records", 2)
    company.estate.settings.put("licences", {"PARTIAL": 2})
    found = []
    for name in ("ONE", "TWO"):
        company.ready(name, "Partial", TemplateId=TEMPLATE)
        found.append(column(company.estate.sandbox(name), 'SELECT "Id" FROM "Contact" ORDER BY "Id"'))
    assert found[0] == found[1] != []


def test_a_sample_is_spread_over_all_ids():
    ids = [f"{number:03d}" for number in range(100)]
    assert spread(ids, 4) == ["000", "025", "050", "075"]
    assert spread(ids, 100) == spread(ids, 1000) == ids
    assert spread(ids, 0) == []


def test_new_records_of_a_copy_get_other_ids_than_those_of_production(company):
    company.ready()
    assert company.estate.sandbox("UAT").new_id("001") != company.estate.production.new_id("001")


def test_a_copy_is_as_of_the_end_of_its_processing(company):
    company.create()
    company.wait(minutes=10)
    production = company.estate.production
    with production.transaction() as db:
        db.execute('UPDATE "Account" SET "Name" = ?', ("changed while copying",))
    company.finish()
    with production.transaction() as db:
        db.execute('UPDATE "Account" SET "Name" = ?', ("changed later",))
    assert set(column(company.estate.sandbox("UAT"), 'SELECT "Name" FROM "Account"')) == {"changed while copying"}


def test_sandbox_1_5_a_clone_copies_its_source_and_not_production(company):
    from rehearse.practice import sandboxes

    source = company.ready("UAT")
    with company.estate.sandbox("UAT").transaction() as db:
        db.execute('UPDATE "Account" SET "Name" = ?', ("only in UAT",))
    sandboxes.create(company.estate, {"SandboxName": "COPY", "SourceId": source}, company.admin_id)
    company.finish()
    clone = company.estate.sandbox("COPY")
    assert set(column(clone, 'SELECT "Name" FROM "Account"')) == {"only in UAT"}
    assert column(clone, 'SELECT "Username" FROM "User" ORDER BY "Id"')[1] == "bob@acme.example.copy"
    assert column(clone, 'SELECT "Email" FROM "User" ORDER BY "Id"')[1] == "bob@acme.example.invalid"
    assert len({clone.org_id, company.estate.sandbox("UAT").org_id, company.estate.production.org_id}) == 3


def test_sandbox_1_5_a_clone_whose_source_is_gone_copies_production(company):
    from rehearse.practice import sandboxes

    source = company.ready("DEV", "Developer", Description="x")
    company.wait(days=1)
    clone = sandboxes.create(company.estate, {"SandboxName": "COPY", "SourceId": source}, company.admin_id)
    sandboxes.delete(company.estate, source, company.admin_id)
    company.finish()
    assert company.row(clone)["Status"] == "Completed"
    assert company.estate.sandbox("COPY").is_sandbox


NARROW = "1ps000000000009AAA"


@pytest.mark.parametrize("licence", ["Partial", "Full"])
def test_a_template_takes_its_objects_and_what_they_refer_to(company, licence):
    """sandbox-and-auth.md 1.5: which records a Partial copy, or a Full one with a template, takes along."""
    company.estate.settings.put("copy_templates", [f"{NARROW[:15]} Contact", "1ps000000000008AAA Case"])
    production = company.estate.production
    lonely = production.new_id("001")
    with production.transaction() as db:
        db.execute('INSERT INTO "Account" ("Id", "Name", "IsDeleted") VALUES (?, ?, 0)', (lonely, "Nobody's"))
    company.ready(licence=licence, TemplateId=NARROW)
    sandbox = company.estate.sandbox("UAT")
    contacts = sandbox.db.execute('SELECT count(*) FROM "Contact"').fetchone()
    assert contacts == production.db.execute('SELECT count(*) FROM "Contact" WHERE "IsDeleted" = 0').fetchone()
    kept = {row[0] for row in sandbox.db.execute('SELECT "Id" FROM "Account"')}
    assert {row[0] for row in sandbox.db.execute('SELECT "AccountId" FROM "Contact"')} <= kept
    assert lonely not in kept


def test_endpoints_of_every_kind_arrive_as_production_has_them(company):
    """sandbox-and-auth.md 1.8: named credentials, remote sites and outbound messages still point at production's."""
    production = company.estate.production
    deploy.prepare(production)
    held = {
        "NamedCredential": ("Bank", b"<NamedCredential><endpoint>https://bank.example</endpoint></NamedCredential>"),
        "RemoteSiteSetting": ("Rates", b"<RemoteSiteSetting><url>https://rates.example</url></RemoteSiteSetting>"),
        "WorkflowOutboundMessage": (
            "Case.Told",
            b"<outboundMessages><endpointUrl>https://told.example</endpointUrl></outboundMessages>",
        ),
    }
    for kind, (name, xml) in held.items():
        parent = name.partition(".")[0] if "." in name else ""
        components.save(production, Component(kind, name, xml, parent), Author("", production.stamp()))
    company.ready()
    sandbox = company.estate.sandbox("UAT")
    for kind, (name, xml) in held.items():
        found = components.find(sandbox, kind, name)
        assert found is not None and found.xml == xml
