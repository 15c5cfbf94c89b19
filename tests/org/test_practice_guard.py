"""Every way to point a writer at production, against a running world: refused, and nothing reaches production."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from rehearse.errors import (
    GenerationChanged,
    LoginError,
    NotASandbox,
    OrgBusy,
    OrgRejected,
    OrgUnreachable,
    ProductionRefused,
    SessionExpired,
)
from rehearse.org import connect, logins
from rehearse.org.model import Login
from rehearse.org.wire import Call


def writes_to_production(doors: Any) -> list[str]:
    """What production received beside reads and logins."""
    return [
        f"{one.method} {one.path}"
        for one in doors.practice.production_requests()
        if one.method != "GET" and not one.path.endswith("/token") and one.operation is None
    ]


def test_a_sandbox_login_that_points_at_production(doors: Any) -> None:
    with pytest.raises(NotASandbox, match="not a sandbox"):
        doors.writer("UATFULL", login=doors.login("production"))
    with pytest.raises(NotASandbox):
        doors.writer(
            "UATFULL",
            login=doors.login("production"),
            production=None,
            confirmed_org_id=doors.practice.production.org_id,
        )
    assert writes_to_production(doors) == []


def test_a_login_of_another_sandbox(doors: Any) -> None:
    with pytest.raises(NotASandbox, match="SIT1"):
        doors.writer("UATFULL", login=doors.login("SIT1"))


def test_another_generation_than_expected(doors: Any) -> None:
    with pytest.raises(GenerationChanged):
        doors.writer("UATFULL", expected_org_id=doors.practice.orgs["SIT1"].org_id)
    assert doors.writer("UATFULL", expected_org_id=doors.practice.orgs["UATFULL"].org_id[:15]).confirm().is_sandbox


def test_a_practice_sandbox_without_its_production(doors: Any) -> None:
    with pytest.raises(NotASandbox, match="local address"):
        doors.writer("UATFULL", production=None, confirmed_org_id=doors.practice.orgs["UATFULL"].org_id)


def test_a_production_login_that_is_a_sandbox(doors: Any) -> None:
    with pytest.raises((NotASandbox, OrgRejected)):
        doors.writer("UATFULL", production=doors.reader("SIT1"))


def test_production_without_a_word_about_it_is_not_enough(doors: Any) -> None:
    """Where SandboxProcess may not be read, the confirmed id and the host count, and loopback never does."""
    production = doors.reader("production")

    class Blind(connect.OrgReader):
        def fetch_copies_of(self, org_id: str) -> Any:
            raise OrgRejected(
                "INVALID_TYPE", "sObject type 'SandboxProcess' is not supported.", "Reading SandboxProcess"
            )

    blind = Blind(production._wire, production.api_version, production.org_id, is_sandbox=False)
    with pytest.raises(NotASandbox, match="local address"):
        doors.writer("UATFULL", production=blind, confirmed_org_id=doors.practice.orgs["UATFULL"].org_id)


def test_a_production_that_cannot_be_asked_is_an_error_and_not_a_fallback(doors: Any) -> None:
    production = doors.reader("production", options=doors.options(attempts=1))
    doors.practice.faults.add(("GET", "SandboxProcess"), do="lose-reply", times=9)
    with pytest.raises(OrgUnreachable):
        doors.writer("UATFULL", production=production, confirmed_org_id=doors.practice.orgs["UATFULL"].org_id)


def repointed(doors: Any, monkeypatch: pytest.MonkeyPatch, first: str, then: str) -> Callable[[], None]:
    """Logins reach `first` until the returned switch is thrown, then `then`, as a repointed alias would."""
    real, state = logins.fetch_session, {"name": first}

    def fetch(login: Login, transport: Any) -> Any:
        if login.alias != "moving":
            return real(login, transport)
        return real(doors.login(state["name"]), transport)

    monkeypatch.setattr(logins, "fetch_session", fetch)
    return lambda: state.update(name=then)


@pytest.mark.parametrize("then", ["production", "SIT1"])
def test_an_alias_that_is_repointed_after_the_proof(doors: Any, monkeypatch: pytest.MonkeyPatch, then: str) -> None:
    switch = repointed(doors, monkeypatch, "UATFULL", then)
    moving = replace(doors.login("UATFULL"), alias="moving")
    writer = doors.writer("UATFULL", login=moving)
    assert writer.insert_rows("Account", [{"Name": "before"}])[0].success
    switch()
    assert writer.insert_rows("Account", [{"Name": "the old token still holds"}])[0].success
    doors.practice.faults.add(("POST", "/composite/sobjects"), do="401")
    with pytest.raises((NotASandbox, GenerationChanged)):
        writer.insert_rows("Account", [{"Name": "after"}])
    for act in (
        lambda: writer.insert_rows("Account", [{"Name": "again"}]),
        lambda: writer.delete_rows(["001000000000001AAA"]),
        lambda: writer.open_ingest("Account", "insert"),
    ):
        doors.practice.faults.add(("POST", "/composite/sobjects"), do="401")
        doors.practice.faults.add(("DELETE", "/composite/sobjects"), do="401")
        doors.practice.faults.add(("POST", "/jobs/ingest"), do="401")
        with pytest.raises((NotASandbox, GenerationChanged)):
            act()
        doors.practice.faults.clear()
    assert writes_to_production(doors) == []


def test_a_reader_never_mixes_two_orgs(doors: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    switch = repointed(doors, monkeypatch, "UATFULL", "SIT1")
    reader = doors.reader("UATFULL", login=replace(doors.login("UATFULL"), alias="moving"))
    switch()
    assert reader.fetch_count("SELECT COUNT() FROM Account") > 0
    doors.practice.faults.add(("GET", "/query"), do="401")
    with pytest.raises(GenerationChanged):
        reader.fetch_count("SELECT COUNT() FROM Account")


def test_a_refresh_kills_the_writer(doors: Any) -> None:
    """The same client reaches the new org after a refresh: the re-login works, the proof does not."""
    doors.practice.allow_refresh = True
    clock = doors.practice.estate.clock
    writer, control = doors.writer("DEV1"), doors.control()
    clock.move(timedelta(days=2))
    record = next(one for one in control.fetch_sandboxes() if one.name == "DEV1")
    control.request_refresh(record, {"AutoActivate": True})
    assert writer.confirm().org_id == writer.org_id, "the old sandbox serves on while the new one is copied"
    clock.move(timedelta(days=1))
    with pytest.raises(GenerationChanged):
        writer.insert_rows("Account", [{"Name": "too late"}])
    with pytest.raises((GenerationChanged, SessionExpired)):
        writer.confirm()
    with pytest.raises(GenerationChanged):
        doors.writer("DEV1", expected_org_id=writer.org_id)
    assert doors.writer("DEV1").org_id != writer.org_id


def test_a_confirmation_that_fails_closes_the_wire(doors: Any) -> None:
    writer = doors.writer("UATFULL")
    assert writer.confirm().org_id == writer.org_id
    sandbox = doors.practice.estate.org(writer.org_id)
    with sandbox.lock, sandbox.transaction() as db:
        db.execute('UPDATE "Organization" SET "IsSandbox" = 0')
    with pytest.raises(NotASandbox):
        writer.confirm()
    for act in (
        lambda: writer.insert_rows("Account", [{"Name": "x"}]),
        lambda: writer.undelete_rows(["001000000000001AAA"]),
        lambda: writer.open_ingest("Account", "insert"),
    ):
        with pytest.raises(ProductionRefused):
            act()
    assert writer.reader.fetch_count("SELECT COUNT() FROM Account") > 0
    with sandbox.lock, sandbox.transaction() as db:
        db.execute('UPDATE "Organization" SET "IsSandbox" = 1')
    writer.confirm()
    assert writer.insert_rows("Account", [{"Name": "x"}])[0].success


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_confirmation_that_breaks_off_closes_the_wire_too(doors: Any, nth: int) -> None:
    writer = doors.writer("UATFULL", options=doors.options(attempts=1))
    doors.practice.faults.add(("GET", "/query"), nth=nth, do="500", times=5)
    with pytest.raises(OrgBusy):
        writer.confirm()
    doors.practice.faults.clear()
    with pytest.raises(ProductionRefused):
        writer.insert_rows("Account", [{"Name": "x"}])
    assert writer.confirm() and writer.insert_rows("Account", [{"Name": "x"}])[0].success


def test_each_confirmation_asks_the_org_and_production_again_and_a_dead_token_is_replaced(doors: Any) -> None:
    """The org's row every time; who its user is only about a new token."""
    heard: list[str] = []
    writer = doors.writer("UATFULL", options=doors.options(on_call=lambda *what: heard.append(f"{what[0]} {what[2]}")))
    query = f"before /services/data/v{writer.reader.api_version}/query"
    first = writer.confirm()
    for _ in range(2):
        heard.clear()
        asked = len(doors.practice.production_requests())
        again = writer.confirm()
        assert (again.org_id, again.user_id) == (writer.org_id, first.user_id) and again.read_at > first.read_at
        assert [one for one in heard if one.startswith("before")] == [query]
        assert len(doors.practice.production_requests()) > asked
    doors.practice.estate.tokens.revoke_org(writer.org_id[:15])
    heard.clear()
    assert writer.confirm().user_id == first.user_id
    assert "before /services/oauth2/token" in heard and heard.count(query) == 3, "the dead token, the org, the user"
    assert writer.insert_rows("Account", [{"Name": "x"}])[0].success


def test_threads_write_on_through_a_renewal(doors: Any) -> None:
    """All tokens of the org die while four threads write; one login and one proof serve them all."""
    heard: list[str] = []
    writer = doors.writer("UATFULL", options=doors.options(on_call=lambda *what: heard.append(what[2])))
    before = writer.reader.fetch_count("SELECT COUNT() FROM Account")
    doors.practice.estate.tokens.revoke_org(writer.org_id[:15])
    heard.clear()
    outcomes: list[bool] = []

    def work() -> None:
        outcomes.extend(writer.insert_rows("Account", [{"Name": "x"}])[0].success for _ in range(3))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert outcomes == [True] * 12
    assert writer.reader.fetch_count("SELECT COUNT() FROM Account") == before + 12
    assert len([path for path in heard if path.endswith("/token")]) == 2, "before and after one login"


def test_a_reader_of_production_has_no_way_to_write(doors: Any) -> None:
    reader = doors.reader("production")
    assert not [
        name for name in dir(reader) if name.startswith(("insert", "update", "delete_rows", "open", "start_deploy"))
    ]
    for method, path in (
        ("POST", "/services/data/v67.0/composite/sobjects"),
        ("GET", "/services/data/v67.0/tooling/executeAnonymous"),
        ("POST", "/services/data/v67.0/jobs/ingest"),
        ("GET", "/services/apexrest/x"),
        ("PATCH", "/services/data/v67.0/tooling/sobjects/SandboxInfo/0GQ000000000001AAA"),
        ("DELETE", "/services/data/v67.0/jobs/query/750000000000001AAA"),
    ):
        with pytest.raises(ProductionRefused):
            reader._wire.fetch(Call(method, path, "Trying", body=None if method == "GET" else b"{}"))
    with pytest.raises(ProductionRefused):
        list(reader.fetch_rows("SELECT Id FROM Account FOR VIEW"))
    with pytest.raises(ProductionRefused):
        reader.start_query_job("SELECT Id FROM Account FOR UPDATE")
    assert writes_to_production(doors) == []


def test_the_control_of_another_production_is_none(doors: Any) -> None:
    """It may have a sandbox of the same name, in use by somebody else."""
    asked = len(doors.practice.production_requests())
    login, bundle = doors.login("production"), doors.practice.ca_file
    with pytest.raises(LoginError, match="another|nothing was asked"):
        connect.connect_control(login, expected_org_id="00D0000000000ZZMAA", ca_bundle=bundle, options=doors.options())
    assert {one.method for one in doors.practice.production_requests()[asked:]} <= {"GET", "POST"}
    same = doors.practice.production.org_id
    connect.connect_control(login, expected_org_id=same, ca_bundle=bundle, options=doors.options()).close()


def test_the_control_cannot_write_rows_and_needs_production(doors: Any) -> None:
    control = doors.control()
    for call in (
        Call("POST", "/services/data/v67.0/composite/sobjects", "Trying", body=b'{"records":[]}'),
        Call("DELETE", "/services/data/v67.0/sobjects/Account/001000000000001AAA", "Trying"),
        Call("POST", "/services/data/v67.0/jobs/ingest", "Trying", body=b"{}"),
    ):
        with pytest.raises(ProductionRefused):
            control._lifecycle._wire.fetch(call)
    with pytest.raises(LoginError, match="is a sandbox"):
        doors.control("SIT1")
    assert writes_to_production(doors) == []
