"""The egress gate and the check for room: what is asked, what is refused, and what may be let through by name."""

from base64 import b64encode
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from rehearse import clock, lock
from rehearse.baseline.capture import CaptureRequest, capture
from rehearse.baseline.model import Scope
from rehearse.errors import GateClosed
from rehearse.journal import Journal, load_entries
from rehearse.org.email_probe import Deliverability
from rehearse.org.model import Limit
from rehearse.reset.egress import (
    Leak,
    fetch_endpoints,
    fetch_leaks,
    list_asked,
    plain_url,
    read_endpoints,
    require_no_egress,
    used,
)
from rehearse.reset.let_out import join_allowed, list_remembered, load_let_out, note_let_out
from rehearse.reset.model import Allowed
from rehearse.reset.storage_room import needed_file_bytes, needed_kilobytes, require_room
from rehearse.state import open_database

SPACE = 'xmlns="http://soap.sforce.com/2006/04/metadata"'
SITE = "<RemoteSiteSetting {space}><isActive>{active}</isActive><url>{url}</url></RemoteSiteSetting>"
FILES = {
    "remoteSiteSettings/On.remoteSite": SITE.format(space=SPACE, active="true", url="https://a.example"),
    "remoteSiteSettings/Off.remoteSite": SITE.format(space=SPACE, active="false", url="https://b.example"),
    "namedCredentials/Old.namedCredential": f"<NamedCredential {SPACE}><endpoint>https://c.example/x</endpoint>"
    "</NamedCredential>",
    "namedCredentials/New.namedCredential": f"<NamedCredential {SPACE}><calloutStatus>Enabled</calloutStatus>"
    "<namedCredentialParameters><parameterName>Url</parameterName><parameterType>Url</parameterType>"
    "<parameterValue>https://d.example</parameterValue></namedCredentialParameters></NamedCredential>",
    "namedCredentials/Shut.namedCredential": f"<NamedCredential {SPACE}><calloutStatus>Disabled</calloutStatus>"
    "<endpoint>https://e.example</endpoint></NamedCredential>",
    "workflows/Invoice__c.workflow": f"<Workflow {SPACE}><outboundMessages><fullName>Tell</fullName>"
    "<endpointUrl>https://f.example</endpointUrl></outboundMessages></Workflow>",
}


def test_every_kind_of_endpoint_is_read_and_what_is_switched_off_is_not_active() -> None:
    def read(active: bool) -> dict[str, str]:
        return {one.name: one.url for path, text in FILES.items()
                for one in read_endpoints(path, text.encode(), active=active)}  # fmt: skip

    assert read(True) == {
        "On": "https://a.example", "Old": "https://c.example/x", "New": "https://d.example",
        "Invoice__c.Tell": "https://f.example",
    }  # fmt: skip
    assert read(False).keys() - read(True).keys() == {"Off", "Shut"}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://A.example/x/", "https://a.example:443/x", True),
        ("https://a.example", "https://a.example/", True),
        ("https://a.example", "http://a.example", False),
        ("https://a.example:8443", "https://a.example", False),
        ("https://a.example/x?y=1", "https://a.example/x", False),
        ("https://a.example:no", "https://a.example", False),
    ],
)
def test_addresses_are_one_whatever_their_spelling(one: str, other: str, same: bool) -> None:
    assert (plain_url(one) == plain_url(other)) is same


def test_the_gate_names_what_is_open_and_lets_through_only_what_is_named() -> None:
    leaks = (Leak("email", "e-mail deliverability is All email"), Leak("Ledger", "Ledger points there"))
    with pytest.raises(GateClosed) as refusal:
        require_no_egress(leaks, {"Ledger"})
    assert "All email" in refusal.value.message and "Ledger" not in refusal.value.message
    assert refusal.value.hint is not None and "--allow-egress email" in refusal.value.hint
    assert len(require_no_egress(leaks, {"Ledger", "email"})) == 2
    assert used(leaks[1:], [Allowed("email", "x"), Allowed("Ledger", "y")]) == (Allowed("Ledger", "y"),)


def test_a_copy_keeps_productions_endpoints_until_they_are_changed(lab: Any) -> None:
    production, writer = lab.writers
    closed: tuple[Deliverability, str] = writer.fetch_deliverability()
    assert closed == ("closed", "")  # a new sandbox lets system e-mail out only
    names = {one.name for one in fetch_leaks(writer.reader, production, closed)}
    assert names == {"Ledger", "Rates"}
    assert {one.name for one in fetch_leaks(writer.reader, None, ("not asked", "NO_APEX"))} == {"email", "endpoints"}
    for name in sorted(names):
        xml = SITE.format(space=SPACE, active="true", url=f"https://{name.lower()}.sandbox.example")
        lab.deploy({f"remoteSiteSettings/{name}.remoteSite": xml})
    assert fetch_leaks(writer.reader, production, closed) == ()
    assert {one.name for one in fetch_endpoints(writer.reader)} == {"Ledger", "Rates"}
    with lab.org.transaction() as db:
        db.execute("UPDATE org_facts SET value = 'all' WHERE name = 'email_deliverability'")
    assert [one.name for one in fetch_leaks(writer.reader, production, writer.fetch_deliverability())] == ["email"]
    _room(lab)


def _room(lab: Any) -> None:
    """Rows that come back need room; what is deleted makes none at once."""
    from rehearse.reset.model import Action

    before = lab.capture(objects=("Account",))
    plan = lab.plan(before)
    left = lab.writer.reader.fetch_limits()["DataStorageMB"].remaining
    rows = left * 1024 // 2

    def planned(object: str, do: Any, count: int) -> Any:
        one = Action("a", 600, do, "record", object, "k", "exact")
        return replace(plan, actions=(one,) * count)

    require_room(lab.writer.reader, planned("Account", "undelete", 5), lab.store)
    assert needed_kilobytes(planned("Campaign", "insert", 3)) == 24
    assert needed_kilobytes(planned("Account", "delete", 3)) == 0
    require_room(lab.writer.reader, planned("Account", "insert", rows), lab.store)
    with pytest.raises(GateClosed, match="data storage"):
        require_room(lab.writer.reader, planned("Account", "insert", rows + 1), lab.store)
    _room_for_files(lab)


def _room_for_files(lab: Any) -> None:
    """Contents of files take file storage, by the length that the baseline knows."""
    (account,) = lab.pick('"Account" ORDER BY "Id" LIMIT 1')
    (file,) = lab.insert("Attachment", {"Name": "a.txt", "ParentId": account, "Body": b64encode(b"x" * 3000).decode()})
    scope = Scope((), objects=("Attachment",), files=True)
    before = capture(lab.writer.reader, CaptureRequest("UATFULL", scope), lab.store)
    lab.delete(file)
    plan = lab.plan(before)
    assert needed_file_bytes(lab.store, plan) == 3000
    require_room(lab.writer.reader, plan, lab.store)
    full = replace(lab.writer.reader.fetch_limits()["FileStorageMB"], remaining=0)
    with pytest.raises(GateClosed, match="0 MB of file storage left; what comes back needs 1 MB"):
        require_room(Spent(full), plan, lab.store)  # type: ignore[arg-type]


@dataclass
class Spent:
    """An org whose file storage is used up."""

    left: Limit

    def fetch_limits(self) -> dict[str, Limit]:
        return {"FileStorageMB": self.left}


def test_what_was_let_out_is_remembered_by_a_plan_that_began_and_by_no_other(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    mail, ledger = Allowed("email", "a test network"), Allowed("Ledger", "a stub")
    try:
        with lock.hold(database, "UATFULL", "reset", clock.now()) as held:
            journal = Journal(database, held, "PLAN")
            note_let_out(journal, [mail])
            assert load_let_out(load_entries(database, "PLAN")) == ()  # nothing was written: ask again
            journal.close(journal.open("begin", {}), {})
            note_let_out(journal, [ledger])
            note_let_out(journal, [])
            assert load_let_out(load_entries(database, "PLAN")) == (mail, ledger)
            assert load_let_out(load_entries(database, "OTHER")) == ()
    finally:
        database.close()
    assert join_allowed((mail, ledger), (Allowed("email", "said anew"),)) == (Allowed("email", "said anew"), ledger)


def test_many_endpoints_are_let_through_by_a_pattern_and_told_in_one_line() -> None:
    leaks = [Leak("email", "e-mail is open"), *(Leak(f"Peer_{n}", f"Peer_{n} points there") for n in range(300))]
    with pytest.raises(GateClosed) as caught:
        require_no_egress(leaks, {"*"})
    assert "e-mail is open." in caught.value.message, "a pattern never lets e-mail out"
    with pytest.raises(GateClosed) as caught:
        require_no_egress(leaks, {"email"})
    assert caught.value.message.endswith("Peer_4 points there; and 295 more.") and "*" in caught.value.hint
    assert len(list_asked(leaks, ["email"])) == len(require_no_egress(leaks, {"email", "Peer_*"})) == 6
    found = used(leaks, [Allowed("Peer_*", "many"), Allowed("Peer_7", "one"), Allowed("None_*", "x")])
    assert len(found) == 300 and {one.name: one.reason for one in found}["Peer_7"] == "one"
    many, one = list_remembered(found)
    assert "Peer_4 and 294 more is remembered" in many and one.startswith("--allow-egress Peer_7 is")
