"""Ids, database, lock and journal."""

import importlib
import multiprocessing
import os
import re
import signal
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from rehearse import clock, journal, lock, state
from rehearse.errors import AmbiguousId, Locked, NotFound, StoreError, UsageError
from rehearse.ids import ByName, build_content_id, build_ulid, find_by_prefix, is_same_name, looks_like_id, spell, to_18


@pytest.fixture
def database(database_place: Path | str):  # type: ignore[no-untyped-def]
    opened = state.open_database(database_place)
    yield opened
    opened.close()


def test_a_content_id_never_changes_between_versions() -> None:
    assert build_content_id({"b": [1, 2.5, None, True], "a": "Ünï"}) == (
        "4f17e0d25d9cc3cff8a7c1a7807a94c62ea98e7c658f5cc475b949ce8227a671"
    )
    assert build_content_id({"a": "Ünï", "b": [1, 2.5, None, True]}) == build_content_id(
        {"b": [1, 2.5, None, True], "a": "Ünï"}
    )


def test_names_of_sandboxes_are_one_in_any_letter_case() -> None:
    assert is_same_name("UATFull", "uatfull") and not is_same_name("UAT", "UAT2")
    assert spell("uat", ["SIT", "UAT"]) == "UAT" and spell("dev", ["SIT", "UAT"]) == "dev"
    kept = ByName([("UAT", 1), ("Sit", 2), ("uat", 3)])
    assert kept["UaT"] == 3 and list(kept) == ["UAT", "Sit"] and len(kept) == 2


def test_a_15_character_id_gets_its_known_suffix() -> None:
    assert to_18("001D000000IRFma") == "001D000000IRFmaIAH"
    assert to_18("001D000000IRFmaIAH") == "001D000000IRFmaIAH"


@given(st.text(alphabet="abcXYZ019", min_size=15, max_size=15), st.text(alphabet="abcXYZ019", min_size=15, max_size=15))
def test_ids_that_differ_only_in_case_get_different_suffixes(one: str, other: str) -> None:
    if one != other and one.lower() == other.lower():
        assert to_18(one)[15:] != to_18(other)[15:]


@pytest.mark.parametrize("text", ["", "001", "001D000000IRFm!", "001D000000IRFmaIA"])
def test_what_is_no_id_is_refused(text: str) -> None:
    assert not looks_like_id(text)
    with pytest.raises(UsageError):
        to_18(text)


def test_ulids_sort_by_time() -> None:
    early, late = clock.from_iso("2026-01-01T00:00:00Z"), clock.from_iso("2026-01-01T00:00:01Z")
    assert len(build_ulid(early)) == 26 and build_ulid(early) < build_ulid(late)


def test_a_content_id_does_not_depend_on_the_order_of_keys() -> None:
    assert build_content_id({"a": 1, "b": [2]}) == build_content_id({"b": [2], "a": 1})
    assert build_content_id({"a": 1}) != build_content_id({"a": 2})


def test_a_prefix_finds_one_thing_or_says_why_not() -> None:
    assert find_by_prefix("ab", ["abc", "xyz"], "baseline") == "abc"
    assert find_by_prefix("abc", ["abc", "abcd"], "baseline") == "abc"
    with pytest.raises(AmbiguousId):
        find_by_prefix("a", ["ab", "ac"], "baseline")
    for nothing in ("q", ""):
        with pytest.raises(NotFound):
            find_by_prefix(nothing, ["ab", "ac"], "baseline")


ROOT = Path(state.__file__).parents[1]
STORES = [  # whoever declares a table is found, and need not be listed
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in sorted((ROOT / "rehearse").rglob("*.py"))
    if re.search(r"^from rehearse\.state import .*\bTABLES\b", path.read_text(encoding="utf-8"), re.MULTILINE)
]


def test_the_migrations_make_the_tables_that_the_stores_declare(database: state.Database) -> None:
    assert len(STORES) > 10
    for name in STORES:
        importlib.import_module(name)
    with database.begin() as connection:
        from alembic.autogenerate import compare_metadata
        from alembic.migration import MigrationContext

        difference = compare_metadata(MigrationContext.configure(connection), state.TABLES)
    assert difference == []


def test_a_database_of_a_newer_rehearse_is_refused(database: state.Database, database_place: Path | str) -> None:
    with database.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="9999"):
        state.open_database(database_place)


def test_a_transaction_that_fails_leaves_nothing(database: state.Database) -> None:
    with pytest.raises(RuntimeError), database.begin() as connection:
        connection.execute(
            sa.text("INSERT INTO sandbox_lock VALUES ('S', 't', 'me', 'x', '2026-01-01T00:00:00Z', 'h', '1/1')")
        )
        raise RuntimeError
    assert lock.load_locks(database) == ()


def test_a_lock_is_held_by_one_and_given_back_however_the_block_ends(database: state.Database) -> None:
    with pytest.raises(KeyboardInterrupt), lock.hold(database, "UAT", "reset", clock.now()):
        with pytest.raises(Locked, match="UAT is locked by"):
            lock.take(database, "UAT", "another", clock.now())
        lock.take(database, "SIT", "elsewhere", clock.now())
        raise KeyboardInterrupt
    assert [one.sandbox for one in lock.load_locks(database)] == ["SIT"]


def _take_and_wait(place: Path | str, ready: "multiprocessing.synchronize.Event") -> None:
    opened = state.open_database(place)
    lock.take(opened, "UAT", "will be killed", clock.now())
    ready.set()
    signal.pause()


def test_the_lock_of_a_killed_process_is_taken_over(database: state.Database, database_place: Path | str) -> None:
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    process = context.Process(target=_take_and_wait, args=(database_place, ready))
    process.start()
    assert ready.wait(30)
    with pytest.raises(Locked):
        lock.take(database, "UAT", "too early", clock.now())
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    process.close()
    assert lock.take(database, "UAT", "again", clock.now()).what == "again"


def test_a_lock_is_dead_only_where_its_process_is_known_to_be_gone(database: state.Database) -> None:
    mine = lock.take(database, "UAT", "reset", clock.now())
    gone = subprocess.Popen(["true"])
    gone.wait()
    assert not lock.is_dead(mine) and lock.is_dead(replace(mine, process=f"{gone.pid}/1"))
    assert not lock.is_dead(replace(mine, process=f"{gone.pid}/1", host="elsewhere"))  # nobody here can tell
    namesake = f"{gone.pid}/1/{mine.process.rpartition('/')[2]}"
    assert lock.is_dead(replace(mine, process=namesake))
    assert not lock.is_dead(replace(mine, process=namesake[:-1] + "x"))  # of another machine with the same name
    number, started, _ = mine.process.split("/")
    assert number == str(os.getpid()) and started.isdigit()
    assert lock.is_dead(replace(mine, process=f"{number}/{int(started) - 1}"))  # the number belongs to a later process
    assert not lock.is_dead(replace(mine, process=f"{number}/?"))


def test_a_writer_whose_lock_was_broken_writes_no_further_intent(database: state.Database) -> None:
    held = lock.take(database, "UAT", "reset", clock.now())
    log = journal.Journal(database, held, "run")
    entry = log.open("update", {"ids": 2})
    lock.break_lock(database, held.token[:20])
    with pytest.raises(Locked, match="broken"):
        log.open("update", {"ids": 3})
    with pytest.raises(Locked, match="broken"):
        log.amend(entry, {"job": "750"})
    assert len(journal.load_entries(database, "run")) == 1


def test_a_writer_whose_lock_somebody_else_has_now_writes_no_further_intent(database: state.Database) -> None:
    held = lock.take(database, "UAT", "reset", clock.now())
    log = journal.Journal(database, held, "run")
    lock.break_lock(database, held.token)
    (other, shown) = (lock.take(database, "uat", "another reset", clock.now()), lock.load_locks(database))
    with pytest.raises(Locked, match="broken"):
        log.open("update", {"ids": 3})
    assert [one.token for one in shown] == [other.token] and journal.load_entries(database, "run") == ()


def test_what_is_written_with_a_result_is_written_with_it_or_not_at_all(database: state.Database) -> None:
    log = journal.Journal(database, lock.take(database, "UAT", "reset", clock.now()), "run")
    entry = log.amend(log.open("insert", {"object": "Account"}), {"job": "750"})

    def fail(connection: sa.Connection) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        log.close(entry, {"ok": 1}, also=fail)
    assert [one.result for one in journal.load_entries(database, "run")] == [None]
    log.close(entry, {"ok": 1})
    (closed,) = journal.load_entries(database, "run")
    assert closed.result == {"ok": 1} and closed.detail == {"object": "Account", "job": "750"}
