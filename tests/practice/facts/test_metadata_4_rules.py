"""Sharing, matching and assignment rules, and translations: they keep what a file leaves out (metadata.md 4.1)."""

import pytest

OWNER_RULE = (
    "<sharingOwnerRules><fullName>{0}</fullName><accessLevel>Read</accessLevel><label>{0}</label>"
    "<sharedTo><allInternalUsers/></sharedTo><sharedFrom><allInternalUsers/></sharedFrom></sharingOwnerRules>"
)
MATCHING = (
    "<matchingRules><fullName>By_mail</fullName><label>{0}</label><matchingRuleItems><fieldName>Email</fieldName>"
    "<matchingMethod>Exact</matchingMethod></matchingRuleItems><ruleStatus>{1}</ruleStatus></matchingRules>"
)


def sharing(tools, *names):
    inner = "".join(map(OWNER_RULE.format, names))
    return {
        "package.xml": tools.manifest(SharingRules="Account"),
        "sharingRules/Account.sharingRules": tools.xml("SharingRules", inner),
    }


def matching(tools, label, status):
    inner = tools.xml("MatchingRules", MATCHING.format(label, status))
    return {"package.xml": tools.manifest(MatchingRules="Lead"), "matchingRules/Lead.matchingRule": inner}


def test_metadata_4_1_sharing_rules_are_added_and_taken_away_by_name(metadata, tools):
    assert metadata.deploy(sharing(tools, "First", "Second"))["status"] == ["Succeeded"]
    assert metadata.deploy(sharing(tools, "Second"))["status"] == ["Succeeded"]
    assert metadata.names("SharingOwnerRule") == {"Account.First", "Account.Second"}, "a container takes nothing away"
    assert metadata.destroy(SharingOwnerRule="Account.First")["status"] == ["Succeeded"]
    assert metadata.names("SharingOwnerRule") == {"Account.Second"}
    (problem,) = tools.problems(metadata.destroy(SharingRules="Account"))
    assert "Cannot delete SharingRules" in problem
    files, _ = metadata.retrieve(SharingRules="*")
    assert b"<fullName>Second</fullName>" in files["unpackaged/sharingRules/Account.sharingRules"]


def test_metadata_4_1_a_matching_rule_is_changed_only_while_it_is_off(metadata, tools):
    assert metadata.deploy(matching(tools, "Mail", "Active"))["status"] == ["Succeeded"]
    refused = tools.problems(metadata.deploy(matching(tools, "By mail", "Active")))
    assert refused == ["Before you change a matching rule, you must deactivate it"]
    for label, status in (("Mail", "Inactive"), ("By mail", "Inactive"), ("By mail", "Active")):
        assert metadata.deploy(matching(tools, label, status))["status"] == ["Succeeded"]
    assert metadata.names("MatchingRule") == {"Lead.By_mail"}


def test_metadata_4_1_entries_of_translations_stay_when_a_file_leaves_them_out(metadata, tools):
    def translated(**fields):
        inner = "".join(f"<fields><label>{text}</label><name>{name}</name></fields>" for name, text in fields.items())
        body = tools.xml("CustomObjectTranslation", inner)
        path = "objectTranslations/Invoice__c-de.objectTranslation"
        return {"package.xml": tools.manifest(CustomObjectTranslation="Invoice__c-de"), path: body}

    assert metadata.deploy(translated(State__c="Stand", Total__c="Summe"))["status"] == ["Succeeded"]
    assert metadata.deploy(translated(State__c="Zustand"))["status"] == ["Succeeded"]
    files, _ = metadata.retrieve(CustomObject="Invoice__c", CustomObjectTranslation="*")
    body = files["unpackaged/objectTranslations/Invoice__c-de.objectTranslation"]
    assert b"Zustand" in body and b"Summe" in body and b"Stand<" not in body


@pytest.mark.parametrize(
    "kind",
    ["AssignmentRules", "AutoResponseRules", "EscalationRules", "DuplicateRule", "NamedCredential", "Translations"],
)
def test_metadata_8_more_types_are_described_and_listed(metadata, kind):
    described = metadata.call("describeMetadata", "<asOfVersion>67.0</asOfVersion>")[0]["metadataObjects"]
    assert kind in {one["xmlName"][0] for one in described}
    assert metadata.list(kind) == []
