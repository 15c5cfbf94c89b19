"""What lies in folders: also in the public folder of the platform's own, which no list of folders names."""

from dataclasses import replace
from typing import Any

from rehearse.practice.play import take_seats
from rehearse.practice.play_client import Caller
from tests.reset.hazards.building import HEAD, NS, manifest, own

UNFILED = "unfiled$public"


def package(lab: Any, title: str, *names: str) -> dict[str, bytes]:
    body = own(lab, "Report:Receivables/Open_Invoices").replace("<name>", f"<name>{title} ", 1)
    files = {f"reports/{one}.report": f"{HEAD}<Report {NS}>{body}</Report>" for one in names}
    files["package.xml"] = manifest({"Report": names})
    return {path: text.encode() for path, text in files.items()}


def test_reports_without_a_folder_of_their_own_are_put_back(lab: Any) -> None:
    _, admin = take_seats(lab.server.estate, "UATFULL", lab.server.http_url)
    with Caller(admin) as caller:
        caller.deploy(package(lab, "Old", f"{UNFILED}/Kept", f"{UNFILED}/Gone"))
        before = lab.capture(objects=(), types=("Report",))
        picture = lab.photograph(())
        caller.deploy(package(lab, "Changed", f"{UNFILED}/Kept", f"{UNFILED}/Extra"))
        gone = {"package.xml": manifest({}), "destructiveChanges.xml": manifest({"Report": [f"{UNFILED}/Gone"]})}
        caller.deploy({path: text.encode() for path, text in gone.items()})
    assert lab.photograph(()) != picture
    older = lab.plan(replace(before, canonicaliser="3"))  # it listed no such reports: nobody knows whose they are
    assert {one.do for one in older.actions} == {"deploy"}
    assert [(one.key, one.grade) for one in older.blocked] == [(f"{UNFILED}/Extra", "manual")]
    proof = lab.reset(before)
    assert {(one.key, one.outcome) for one in proof.items} == {
        (f"{UNFILED}/{name}", "restored") for name in ("Kept", "Gone", "Extra")
    }
    assert proof.verdict == "clean" and lab.photograph(()) == picture


LANGUAGE, OBJECT = "translations/de.translation", "objectTranslations/Routing__c-de.objectTranslation"
TEXTS = {
    LANGUAGE: ("Translations", "<customLabels><label>{0}</label><name>Hotline</name></customLabels>"
               "<customTabs><label>{0}</label><name>Machine__c</name></customTabs>"),
    OBJECT: ("CustomObjectTranslation", "<caseValues><plural>false</plural><value>Weg</value></caseValues>"
             "<fields><label>{0}</label><name>Bank__c</name></fields>"),
}  # fmt: skip


def translated(word: str) -> dict[str, bytes]:
    files = {path: f"{HEAD}<{type} {NS}>{inner.format(word)}</{type}>" for path, (type, inner) in TEXTS.items()}
    files["package.xml"] = manifest({"Translations": ["de"], "CustomObjectTranslation": ["Routing__c-de"]})
    return {path: text.encode() for path, text in files.items()}


def test_translations_are_whole_where_an_org_comes_in_several_retrieves(lab: Any) -> None:
    """Their files show the texts of what is retrieved with them: the rest was in no baseline, and called clean."""
    _, admin = take_seats(lab.server.estate, "UATFULL", lab.server.http_url)
    with Caller(admin) as caller:
        caller.deploy(translated("alt"))
        lab.server.estate.settings.put("retrieve_file_limit", 14)
        before = lab.capture(objects=(), types=("CustomLabels", "CustomObject", "CustomTab", *dict(TEXTS.values())))
        held = lab.store.load_files(before.ulid, set(TEXTS))
        assert {path: body.count(b"alt") for path, body in held.items()} == {LANGUAGE: 2, OBJECT: 1}
        picture = lab.photograph(())
        caller.deploy(translated("neu"))
    proof = lab.reset(before)
    assert {(one.key, one.outcome) for one in proof.items} == {("de", "restored"), ("Routing__c-de", "restored")}
    assert proof.verdict == "clean" and lab.photograph(()) == picture
