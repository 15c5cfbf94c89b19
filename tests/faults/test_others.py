"""Others who write while we do, and things that are not what they were: nothing is lost, nothing is claimed."""

import os
import random
import threading
from datetime import timedelta
from typing import Any

import pytest

from rehearse.errors import Damaged, GenerationChanged, Locked, NotFound, StalePlan
from rehearse.practice import admin
from rehearse.reset.plan_file import load_plan

OBJECTS = ("Account", "Invoice__c", "InvoiceLine__c", "Routing__c", "Machine__c")


@pytest.mark.parametrize("seed", range(3 if os.environ.get("REHEARSE_TEST") == "all" else 1))
def test_an_integration_that_never_sleeps_keeps_all_its_edits(lab: Any, judge: Any, seed: int) -> None:
    """After each of our writes, and right before each small update, it edits rows, among the plan's and others; every
    edit stands, and is named."""
    rng = random.Random(f"integration {seed}")
    before = lab.capture(objects=OBJECTS)
    picture = judge.take_picture(lab)
    routes = lab.pick('"Routing__c" ORDER BY "Id"')
    invoices = lab.pick('"Invoice__c" WHERE "IssuedOn__c" IS NOT NULL ORDER BY "Id" LIMIT 8')
    lab.update("Routing__c", *({"Id": one, "Bank__c": "rehearsal"} for one in routes[:8]))
    lab.update("Invoice__c", *({"Id": one, "IssuedOn__c": "2019-01-01"} for one in invoices))
    lab.delete(*lab.pick('"InvoiceLine__c" ORDER BY "Id" LIMIT 6'))
    lab.insert("Machine__c", *({"Name": f"new {place}"} for place in range(4)))
    accounts = sorted({lab.value("Invoice__c", one, "Account__c") for one in invoices})
    plan = lab.plan(before)
    rehearsed = judge.take_picture(lab)
    wanted: dict[tuple[str, str], str] = {}

    def edit() -> None:
        """Accounts only once their invoices are written: our automation touches them then, and would hide who was
        there before it (docs/reset.md tells of this race)."""
        open_ones = {lab.value("Invoice__c", one, "Account__c") for one in invoices if is_open(one)}
        settled = [one for one in accounts if one not in open_ones]
        for object, ids, field in (("Routing__c", routes, "Remark__c"), ("Account", settled, "Fax")):
            id, text = rng.choice(ids or [""]), f"theirs {len(wanted)}"
            if id and lab.value(object, id, "IsDeleted") == 0:
                lab.update(object, {"Id": id, field: text}, by="admin")
                wanted[(object, id)] = text

    def is_open(invoice: str) -> bool:
        return str(lab.value("Invoice__c", invoice, "IssuedOn__c")) == "2019-01-01"

    def hook(when: str, method: str, path: str) -> None:
        small = (method == "PATCH" and "/sobjects/" in path) or (method == "POST" and path.endswith("/composite"))
        if when == "before" and small:
            admin.move_clock(lab.server.estate, timedelta(seconds=1))  # conditions have whole seconds
        if small or (
            when == "after" and method != "GET" and ("sobjects" in path or "/ingest" in path or "Soap/u" in path)
        ):
            edit()

    edit()
    lab.hook = hook
    report = lab.apply(plan, batch=2)
    lab.hook = None
    proof = lab.prove(before, plan, report)
    named = {(one.type, one.key): one for one in proof.items}
    for (object, id), text in wanted.items():
        field = "Remark__c" if object == "Routing__c" else "Fax"
        assert lab.value(object, id, field) == text, f"{object} {id} was overwritten"
        assert named[(object, id)].outcome == "changed by someone else", named[(object, id)]
    assert not judge.judge(lab, proof, picture, rehearsed, set(OBJECTS)).wrong
    assert proof.verdict == "dirty"


def test_a_row_that_lives_under_both_ids_is_not_one_row(lab: Any) -> None:
    """It was re-inserted; then somebody brought the old one back as well."""
    before = lab.capture(objects=("Routing__c",))
    (route,) = lab.pick('"Routing__c" ORDER BY "Id" LIMIT 1')
    code = lab.value("Routing__c", route, "Code__c")
    lab.delete(route, hard=True)
    assert lab.reset(before).verdict == "clean-with-residue"
    new = lab.ids.load()[route]
    with lab.org.transaction() as db:
        db.execute('UPDATE "Routing__c" SET "IsDeleted" = 0 WHERE "Id" = ?', (route,))
        db.execute("DELETE FROM recycle_bin WHERE id = ?", (route,))
    assert lab.prove(before).verdict == "dirty"
    lab.reset(before)
    assert lab.pick('"Routing__c" WHERE "Code__c" = ? AND "IsDeleted" = 0', code) in ([route], [new])


def test_two_resets_of_one_sandbox_do_not_run_at_once(lab: Any) -> None:
    before = lab.capture(objects=("Routing__c",))
    (route,) = lab.pick('"Routing__c" ORDER BY "Id" LIMIT 1')
    lab.update("Routing__c", {"Id": route, "Remark__c": "rehearsal"})
    plan = lab.plan(before)
    second: list[BaseException] = []

    def hook(when: str, method: str, path: str) -> None:
        if (when, method) == ("before", "PATCH") and not second:
            second.append(Locked("not yet"))
            with pytest.raises(Locked) as caught:
                lab.apply(plan)
            second[0] = caught.value

    lab.hook = hook
    report = lab.apply(plan)
    assert "UATFULL is locked" in str(second[0])
    assert lab.prove(before, plan, report).verdict == "clean"


def test_every_byte_of_a_plan_counts(lab: Any) -> None:
    """One changed byte: refused, or it changed nothing (space between words)."""
    before = lab.capture(objects=("Routing__c",))
    one, two = lab.pick('"Routing__c" ORDER BY "Id" LIMIT 2')
    lab.update("Routing__c", {"Id": one, "Remark__c": "rehearsal"})
    lab.delete(two)
    plan = lab.plan(before)
    path = lab.folder / "workspace" / "plan.json"
    whole = path.read_bytes()
    rng = random.Random("bytes")
    for place in rng.sample(range(len(whole)), 400):
        changed = bytearray(whole)
        changed[place] = rng.choice(b'0aZ" ,}{1\n\xff')
        path.write_bytes(bytes(changed))
        try:
            assert load_plan(path) == plan
        except (Damaged, NotFound):
            continue
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(Damaged):
        load_plan(path)


def test_a_baseline_of_an_older_generation_is_void(lab: Any) -> None:
    from dataclasses import replace

    before = lab.capture(objects=("Routing__c",))
    older = replace(before, org_id="00D000000000009AAA")
    with pytest.raises(GenerationChanged):
        lab.prove(older)


def test_rows_that_move_while_they_are_read_never_make_a_wrong_baseline(lab: Any, judge: Any) -> None:
    """Somebody writes all the time while the baseline is captured; a reset to it at once changes nothing they did
    before it ended, and its proof is not clean unless the tables agree."""
    stop = threading.Event()
    routes = lab.pick('"Routing__c" ORDER BY "Id"')

    def write() -> None:
        rng = random.Random("mover")
        while not stop.is_set():
            lab.update("Routing__c", {"Id": rng.choice(routes), "Remark__c": f"moves {rng.random()}"}, by="admin")
            (made,) = lab.insert("Routing__c", {"Code__c": f"M{rng.randrange(10**9)}"}, by="admin")
            if rng.random() < 0.7:
                lab.delete(made, by="admin")

    thread = threading.Thread(target=write)
    thread.start()
    try:
        before = lab.capture(objects=("Routing__c", "Account"))
    finally:
        stop.set()
        thread.join()
    picture = judge.take_picture(lab)
    proof = lab.prove(before)
    if proof.verdict == "clean":
        lab.reset(before)
        assert judge.row_differences(lab, picture, judge.take_picture(lab), {}) == {}
    rehearsed = judge.take_picture(lab)
    lab.update("Routing__c", {"Id": routes[0], "Remark__c": "rehearsal"})
    proof = lab.reset(before)
    if proof.verdict == "clean":
        stored = {str(row["Id"]): row["Remark__c"] for row in lab.store.load_rows(before.ulid, "Routing__c", None)}
        tables = {id: row["Remark__c"] for id, row in judge.take_picture(lab).rows["Routing__c"].items()}
        assert stored == tables
    assert rehearsed.rows.keys()


def test_a_plan_for_rows_that_nobody_shows_any_more_inserts_nothing_twice(lab: Any) -> None:
    """The rows are hidden when the plan is made and when apply re-reads them, and come back later."""
    before = lab.capture(objects=("Routing__c",))
    picture = lab.photograph(("Routing__c",))
    with lab.org.transaction() as db:
        db.execute('CREATE TABLE hidden AS SELECT * FROM "Routing__c"')
        db.execute('DELETE FROM "Routing__c"')
    plan = lab.plan(before)
    assert not [one for one in plan.actions if one.do == "insert"], "a whole object that vanished is no deletion"
    with lab.org.transaction() as db:
        db.execute('INSERT INTO "Routing__c" SELECT * FROM hidden')
    assert lab.photograph(("Routing__c",)).rows == picture.rows


def test_a_plan_that_was_applied_to_its_end_writes_nothing_again(lab: Any) -> None:
    """Days later our own user has edited the row; the same command must not take that back."""
    before = lab.capture(objects=("Routing__c",))
    (route,) = lab.pick('"Routing__c" ORDER BY "Id" LIMIT 1')
    lab.update("Routing__c", {"Id": route, "Remark__c": "rehearsal"})
    plan = lab.plan(before)
    assert lab.prove(before, plan, lab.apply(plan)).verdict == "clean"
    lab.update("Routing__c", {"Id": route, "Remark__c": "the next release"}, by="release")
    proof = lab.prove(before, plan, lab.apply(plan))
    assert lab.value("Routing__c", route, "Remark__c") == "the next release"
    assert proof.verdict == "dirty"


def test_an_interrupted_plan_is_not_continued_days_later(lab: Any) -> None:
    from datetime import UTC, datetime, timedelta

    before = lab.capture(objects=("Routing__c",))
    (route,) = lab.pick('"Routing__c" ORDER BY "Id" LIMIT 1')
    lab.update("Routing__c", {"Id": route, "Remark__c": "rehearsal"})
    plan = lab.plan(before)

    class Cut(BaseException):
        pass

    def cut(when: str, method: str, path: str) -> None:
        if (when, method) == ("before", "PATCH"):
            raise Cut

    lab.hook = cut
    with pytest.raises(Cut):
        lab.apply(plan)
    lab.hook = None
    with pytest.raises(StalePlan):
        lab.apply(plan, now=lambda: datetime.now(UTC) + timedelta(days=2))
    assert lab.value("Routing__c", route, "Remark__c") == "rehearsal"


def test_a_row_that_was_left_out_stays_so_when_our_automation_touches_it(lab: Any) -> None:
    from rehearse.reset.model import Choices

    before = lab.capture(objects=("Account", "Invoice__c"))
    (invoice,) = lab.pick('"Invoice__c" WHERE "IssuedOn__c" IS NOT NULL ORDER BY "Id" LIMIT 1')
    account = lab.value("Invoice__c", invoice, "Account__c")
    lab.update("Invoice__c", {"Id": invoice, "IssuedOn__c": "2019-01-01"})
    lab.update("Account", {"Id": account, "Fax": "keep this"})
    plan = lab.plan(before, Choices(left_out=frozenset({account})))
    proof = lab.prove(before, plan, lab.apply(plan))
    assert lab.value("Account", account, "Fax") == "keep this"
    assert {one.key: one.outcome for one in proof.items}[account] == "manual"


def test_a_component_that_somebody_wrote_after_our_deployment_stays(lab: Any) -> None:
    """Between our first pass and the capture that follows it."""
    from rehearse.practice.play_client import Caller, Seat

    package = (
        '<Package xmlns="http://soap.sforce.com/2006/04/metadata"><types><members>Left</members><name>ApexClass</name>'
        "</types><version>67.0</version></Package>"
    )
    lab.deploy(LEFT)
    before = lab.capture(objects=(), types=("ApexClass",))
    lab.deploy({**LEFT, "classes/Left.cls": "public class Left { /* rehearsal */ }"})
    plan = lab.plan(before)
    files = {"package.xml": package, **LEFT, "classes/Left.cls": "public class Left { /* theirs */ }"}
    lists = 0

    def interfere(when: str, method: str, path: str) -> None:
        nonlocal lists
        lists += when == "after" and "describe" in path
        written = bytes(lab.org.db.execute("SELECT body FROM meta_file WHERE path = 'classes/Left.cls'").fetchone()[0])
        if written == LEFT["classes/Left.cls"].encode():
            lab.hook = None
            with Caller(Seat(lab.server.http_url, lab.server.estate.issue_token(lab.org, lab.user("admin")))) as caller:
                caller.deploy({path: one.encode() for path, one in files.items()})

    lab.hook = interfere
    proof = lab.prove(before, plan, lab.apply(plan))
    (body,) = lab.org.db.execute("SELECT body FROM meta_file WHERE path = 'classes/Left.cls'").fetchone()
    assert b"theirs" in bytes(body)
    assert [one.outcome for one in proof.items] == ["changed by someone else"]


def test_a_profile_that_somebody_wrote_after_the_plan_stays(lab: Any) -> None:
    profile = (
        '<Profile xmlns="http://soap.sforce.com/2006/04/metadata"><custom>true</custom><fieldPermissions><editable>{}'
        "</editable><field>Routing__c.Bank__c</field><readable>true</readable></fieldPermissions></Profile>"
    )
    lab.deploy({"profiles/Accounting.profile": profile.format("true")})
    before = lab.capture(objects=(), types=("Profile", "CustomObject"))
    lab.deploy({"profiles/Accounting.profile": profile.format("false")})
    plan = lab.plan(before)
    picture = lab.photograph(()).components
    other = profile.replace("Bank__c", "Remark__c").format("false")
    lab.deploy({"profiles/Accounting.profile": other})
    theirs = lab.photograph(()).components
    assert theirs != picture
    proof = lab.prove(before, plan, lab.apply(plan))
    assert lab.photograph(()).components == theirs
    assert {one.outcome for one in proof.items if one.type == "Profile"} == {"changed by someone else"}


LEFT = {
    "classes/Left.cls": "public class Left {}",
    "classes/Left.cls-meta.xml": '<ApexClass xmlns="http://soap.sforce.com/2006/04/metadata">'
    "<apiVersion>67.0</apiVersion><status>Active</status></ApexClass>",
}


def test_rows_of_others_keep_an_object_that_the_rehearsal_added(lab: Any) -> None:
    """No capture holds them, and an object that is deleted takes them along: before the plan, and after it."""
    from rehearse.reset.model import Choices

    before = lab.capture(objects=(), types=("CustomObject",))
    field = "<fields><fullName>Far__c</fullName><label>Far</label><length>30</length><type>Text</type></fields>"
    lab.deploy(
        {
            "objects/Extra__c.object": '<CustomObject xmlns="http://soap.sforce.com/2006/04/metadata"><deploymentStatus>'
            f"Deployed</deploymentStatus>{field}<label>Extra</label><nameField><label>Name</label><type>Text</type>"
            "</nameField><pluralLabel>Extras</pluralLabel><sharingModel>ReadWrite</sharingModel></CustomObject>"
        }
    )
    lab.insert("Extra__c", {"Name": "theirs"}, {"Name": "theirs too"}, by="admin")
    ours = frozenset({lab.user("release")})
    plan = lab.plan(before, Choices(participants=ours))
    assert not [one for one in plan.actions if one.do == "destroy"]
    assert {one.key for one in plan.blocked} == {"Extra__c", "Extra__c.Far__c"}
    assert [(one.type, one.count, one.stay) for one in plan.created] == [("Extra__c", 2, True)]
    assert "2 row(s) made by" in plan.blocked[0].reason

    plan = lab.plan(before, Choices(participants=ours, delete_others=True))
    assert [(one.type, one.count, one.stay) for one in plan.created] == [("Extra__c", 2, False)]
    lab.insert("Extra__c", {"Name": "after the plan"}, by="admin")
    proof = lab.prove(before, plan, lab.apply(plan))
    assert len(lab.pick('"Extra__c" WHERE "IsDeleted" = 0')) == 3
    assert {one.key: one.outcome for one in proof.items if one.key.startswith("Extra__c")} == {
        "Extra__c": "changed by someone else",
        "Extra__c.Far__c": "changed by someone else",
    }
    assert proof.verdict == "dirty"
    assert lab.reset(before).verdict == "clean"


def test_a_queue_that_is_deployed_again_owns_what_it_owned(lab: Any, judge: Any) -> None:
    """Its rows were given to somebody before it was deleted; it comes back by its name, and under a new Id."""
    from rehearse.practice.play_client import Caller, Seat

    package = '<Package xmlns="http://soap.sforce.com/2006/04/metadata">{}<version>67.0</version></Package>'
    gone = package.format("<types><members>Claims</members><name>Queue</name></types>").encode()
    before = lab.capture(objects=("Case",), types=("Queue",))
    picture = judge.take_picture(lab)
    (queue,) = lab.pick('"Group" WHERE "DeveloperName" = ?', "Claims")
    owned = lab.pick('"Case" WHERE "OwnerId" = ? ORDER BY "Id"', queue)
    lab.update("Case", *({"Id": one, "OwnerId": lab.user("admin")} for one in owned))
    with Caller(Seat(lab.server.http_url, lab.server.estate.issue_token(lab.org, lab.user("admin")))) as caller:
        caller.deploy({"package.xml": package.format("").encode(), "destructiveChangesPost.xml": gone})
    assert lab.pick('"Group" WHERE "DeveloperName" = ?', "Claims") == []
    rehearsed = judge.take_picture(lab)
    proof = lab.reset(before)
    (new,) = lab.pick('"Group" WHERE "DeveloperName" = ?', "Claims")
    assert owned and lab.pick('"Case" WHERE "OwnerId" = ? ORDER BY "Id"', new) == owned
    residue = [(one.type, one.key) for one in proof.items if one.outcome == "residue"]
    assert residue == [("Queue", "Claims"), ("Group", queue)]
    assert proof.verdict == "clean-with-residue"
    assert not judge.judge(lab, proof, picture, rehearsed, {"Case"}).wrong
