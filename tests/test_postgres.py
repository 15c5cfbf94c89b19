"""The team database: verbs work on PostgreSQL as on SQLite; a lost connection or a crashed server loses nothing."""

import json
import signal
import threading
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from rehearse import clock, journal, lock, state
from rehearse.cli.app import main
from rehearse.errors import Locked, StoreError
from rehearse.schedule.model import Booking
from rehearse.schedule.store import load_bookings, save_bookings
from tests.postgres_server import PostgresServer

NOW = clock.from_iso("2026-11-23T08:00:00Z")
HOUR = timedelta(hours=1)
WORKSPACE = """
version: 1
timezone: Europe/Dublin
sandboxes:
  UAT: {type: FULL, last_refresh: {requested: 2026-11-02 08:30, activated: 2026-11-03 16:00}}
"""
RELEASE = """
version: 1
release: R41
title: Payments
go_live: 2026-12-18 18:00
rehearsals:
  - {name: mock, kind: mock, duration: 6h, before_go_live: 10d, forecast: undoable}
"""


def _booking(name: str, start: int) -> Booking:
    begin = NOW + start * HOUR
    return Booking(name, "UAT", begin, begin + HOUR, begin + HOUR, "use", why=name)


def _cut(server: PostgresServer) -> None:
    """End every connection of rehearse, as a restarted server or a broken network does."""
    server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'rehearse'")


def test_the_verbs_work_on_a_team_database(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "rehearse.yaml").write_text(WORKSPACE)
    (tmp_path / "r41.yaml").write_text(RELEASE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REHEARSE_DATABASE", postgres_url.replace("postgresql+psycopg", "postgresql"))
    monkeypatch.setenv("REHEARSE_NOW", "2026-11-23T08:00:00Z")

    def run(*words: str) -> tuple[int, dict[str, object]]:
        with pytest.raises(SystemExit) as ended:
            main([*words, "--json"])
        return int(ended.value.code or 0), json.loads(capsys.readouterr().out)

    assert run("plan", "r41.yaml", "--book", "--time-limit", "10")[1]["booked"] == 1
    code, body = run("book", "add", "UAT", "--from", "2026-12-04 09:00", "--to", "2026-12-04 10:00", "--why", "x")
    assert code == 11 and "Free: UAT from" in str(body["hint"])
    code, body = run("book", "move", "r41-mock", "--from", "2026-12-07 09:00")
    assert (code, body["start"]) == (0, "2026-12-07T09:00:00Z")
    assert [one["what"] for one in run("book", "show", "r41-mock")[1]["history"]] == ["booked", "moved"]  # type: ignore[attr-defined]
    assert run("ledger", "next")[0] in (0, 2)
    for verb in ("status", "sandboxes", "report"):
        assert run(verb)[0] == 0, verb
    assert not list((tmp_path / ".rehearse").glob("*.db"))


def test_a_connection_that_was_lost_between_two_steps_is_made_again(
    postgres: PostgresServer, postgres_url: str
) -> None:
    database = state.open_database(postgres_url)
    held = lock.take(database, "UAT", "reset", NOW)
    log = journal.Journal(database, held, "run")
    entry = log.open("update", {"ids": 1})
    _cut(postgres)
    log.close(entry, {"ok": 1})
    with pytest.raises(Locked):
        lock.take(database, "UAT", "another", NOW)
    assert [one.result for one in journal.load_entries(database, "run")] == [{"ok": 1}]
    database.close()


def test_a_step_is_kept_whole_or_not_at_all_when_its_connection_is_lost(
    postgres: PostgresServer, postgres_url: str
) -> None:
    database = state.open_database(postgres_url)
    save_bookings(database, [_booking("kept", 1)], NOW)
    with pytest.raises(StoreError, match="whole or not at all"), database.begin() as connection:
        connection.execute(sa.text("UPDATE booking SET why = 'half'"))
        _cut(postgres)
        connection.execute(sa.text("UPDATE booking SET cancelled = 'half'"))
    assert [one.why for one in load_bookings(database)] == ["kept"]
    database.close()


def test_a_connection_that_is_lost_while_it_waits_for_another_writer_is_made_again(
    postgres: PostgresServer, postgres_url: str
) -> None:
    first, second = state.open_database(postgres_url), state.open_database(postgres_url)
    save_bookings(first, [_booking("first", 1)], NOW)
    second.close()  # as in a new process: it was connected to nothing yet
    second = state.Database(second._engine)
    waiting = threading.Thread(target=save_bookings, args=(second, [_booking("second", 9)], NOW))
    with first.begin() as connection:
        waiting.start()
        waiters = sa.text("SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND pid <> pg_backend_pid()")
        while not (found := connection.execute(waiters).scalars().all()):
            connection.execute(sa.text("SELECT pg_stat_clear_snapshot()"))
        postgres.execute(f"SELECT pg_terminate_backend({found[0]})")
    waiting.join(30)
    assert [one.id for one in load_bookings(first)] == ["first", "second"]
    first.close()
    second.close()


def test_a_crashed_server_has_everything_that_was_answered_and_is_waited_for(
    postgres: PostgresServer, postgres_url: str
) -> None:
    database = state.open_database(postgres_url)
    save_bookings(database, [_booking("before", 1)], NOW)
    postgres.stop(signal.SIGQUIT)
    again = threading.Timer(0.3, postgres.start)
    again.start()
    save_bookings(database, [_booking("after", 9)], NOW)
    again.join()
    assert [one.id for one in load_bookings(database)] == ["before", "after"]
    database.close()


@pytest.mark.parametrize("ended", [psycopg.errors.AdminShutdown, psycopg.errors.CrashShutdown])
def test_a_connection_that_the_server_ends_is_a_lost_one_whatever_it_says(ended: type[psycopg.Error]) -> None:
    """It was told as a failure, with the hint to check the URL."""
    told = state._translated(sa.exc.OperationalError("SELECT 1", {}, ended("terminating connection")))
    assert "lost" in told.message and "again" in str(told.hint)


def test_a_server_that_never_was_there_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="failed") as caught:
        state.open_database(f"postgresql://rehearse:secret@/none?host={tmp_path}")
    assert "secret" not in f"{caught.value.message} {caught.value.hint}"


def test_a_member_whose_clock_is_wrong_is_told(
    postgres: PostgresServer,
    postgres_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "rehearse.yaml").write_text(WORKSPACE + "storage: {database: {env: REHEARSE_DATABASE}}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REHEARSE_DATABASE", postgres_url)
    monkeypatch.delenv("REHEARSE_NOW", raising=False)

    def status() -> str:
        with pytest.raises(SystemExit):
            main(("status",))
        return capfd.readouterr().err

    assert "clock" not in status()
    engine = sa.create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:  # a server whose clock says otherwise
        later = "SELECT pg_catalog.clock_timestamp() + interval '125 minutes'"
        connection.exec_driver_sql(
            f"CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz AS $$ {later} $$ LANGUAGE sql"
        )
        connection.exec_driver_sql(f'ALTER DATABASE "{engine.url.database}" SET search_path = public, pg_catalog')
    engine.dispose()
    told = status()
    assert told.count("The clock of this machine is 2 h behind that of the workspace database") == 1


@pytest.mark.parametrize("how", ["a login that may only read", "a server that takes no writes"])
def test_a_database_that_may_only_be_read_is_shown_and_says_so(how: str, postgres_url: str) -> None:
    state.open_database(postgres_url).close()
    admin = sa.create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    url = admin.url
    with admin.connect() as connection:
        if "login" in how:
            connection.exec_driver_sql("DROP ROLE IF EXISTS viewer")
            connection.exec_driver_sql("CREATE ROLE viewer LOGIN")
            connection.exec_driver_sql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO viewer")
            url = url.set(username="viewer")
        else:
            connection.exec_driver_sql(f'ALTER DATABASE "{url.database}" SET default_transaction_read_only = on')
    database = state.open_database(url.render_as_string(hide_password=False))
    assert load_bookings(database) == ()
    with pytest.raises(StoreError, match="may only be read by this login") as refused:
        save_bookings(database, [_booking("a", 24)], NOW)
    assert "right to write" in (refused.value.hint or "")
    database.close()
    with admin.connect() as connection:
        if "login" in how:
            connection.exec_driver_sql("DROP OWNED BY viewer")
            connection.exec_driver_sql("DROP ROLE viewer")
    admin.dispose()
