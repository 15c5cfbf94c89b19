"""Names that want out, folders that cannot be written, disks that are full: an error of ours, and nothing outside."""

import contextlib
import ctypes
import importlib
import os
import resource
import shutil
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pygit2
import pytest

from rehearse import clock
from rehearse.cli.desk import open_desk
from rehearse.errors import StoreError
from rehearse.journal import Journal
from rehearse.lock import hold
from rehearse.state import is_read_only, open_database

LONG = os.environ.get("REHEARSE_TEST") == "all"
HOSTILE = ["../../x", "x\x1b[31m" + "💥" * 300, *(["", "B1\n"] if LONG else [])]
BAD_NAMES = ["../../x", "/tmp/x", "a/b", "", " ", "x\ny", "x\x1b[31m", "-rf", ".", "x" * 61, "📦"]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_baseline_name_that_nobody_can_read_aloud_is_refused_before_anything_is_read(desk: Any, name: str) -> None:
    desk.refused("baseline", "capture", "SIT1", f"--name={name}", code=2)
    assert not (desk.folder / ".rehearse" / "captures").exists()


def test_names_with_accents_spaces_and_versions_are_welcome(kept_desk: Any) -> None:
    made = kept_desk.json("baseline", "capture", "SIT1", "--name", "Vor R41.2 (é)".replace("(é)", "é"))
    assert kept_desk.json("baseline", "show", "Vor R41.2 é")["id"] == made["id"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_word_finds_nothing_and_steers_no_terminal(kept_desk: Any, name: str) -> None:
    for words in (
        ("baseline", "show", name), ("baseline", "capture", name), ("diff", name), ("reset", "plan", name),
        ("reset", "apply", name), ("reset", "prove", name), ("book", "cancel", name), ("refresh", "check", name),
        ("baseline", "verify", "--proof", f"{name}.json"), ("reset", "apply", f"{name}.json"),
    ):  # fmt: skip
        answer = kept_desk.run(*words, code=10)
        assert answer.out == "" and answer.err.startswith("error: ") and "\x1b" not in answer.err


@pytest.mark.parametrize(
    "words",
    [
        ("diff", "SIT1", "--baseline", ""), ("reset", "plan", "SIT1", "--baseline", " "),
        ("reset", "prove", "SIT1", "--baseline", ""), ("status", "--break-lock", ""),
        ("reset", "prove", "SIT1", "--accept-residue", "", "--reason", ""),
    ],
)  # fmt: skip
def test_an_empty_option_is_a_variable_that_was_never_set(kept_desk: Any, words: tuple[str, ...]) -> None:
    assert "empty" in kept_desk.refused(*words, code=2)["message"]


def test_the_same_name_in_two_sandboxes_is_asked_back(desk: Any) -> None:
    for sandbox in ("SIT1", "DEV1"):
        desk.run("baseline", "capture", sandbox, "--metadata-only", code=None)
    error = desk.refused("baseline", "show", "B1", code=10)
    assert error["code"] == "ambiguous" and "--sandbox" in error["hint"]
    assert desk.json("baseline", "show", "B1", "--sandbox", "DEV1")["sandbox"] == "DEV1"


def test_the_words_of_a_booking_stay_on_their_line(kept_desk: Any) -> None:
    words = ("--from", "2026-12-03 09:00", "--to", "2026-12-03 10:00", "--why", "one\ntwo\x1b[31m\x07" + "x" * 500)
    made = kept_desk.json("book", "add", "DEV2", *words)
    assert made["why"].startswith("one two\ufffd[31m") and len(made["why"]) == 200
    assert "\x1b" not in kept_desk.run("book", "list", "DEV2").out
    kept_desk.run("book", "cancel", made["id"])


def test_switches_of_a_sandbox_that_was_spelled_otherwise_are_found(desk: Any) -> None:
    with contextlib.chdir(desk.folder), open_desk() as opened, hold(opened.database, "sit1", "x", clock.now()) as lock:
        detail = {"switch": "s", "what": "a trigger", "org": "00D"}
        Journal(opened.database, lock, "01M0").open("bypass-on", detail)
    assert desk.json("reset", "bypass-off", "SIT1", "--dry-run")["switches"] == [["a trigger"]]
    hint = desk.refused("baseline", "capture", "SIT1", code=5)[
        "hint"
    ]  # runs as it stands: without --confirm it would be refused
    assert "reset apply 01M0 --confirm sit1" in hint and "bypass-off sit1" in hint


def test_only_the_owner_can_read_what_is_stored(desk: Any) -> None:
    desk.run("init", "--dry-run")
    (desk.folder / ".rehearse").mkdir(mode=0o755)  # made by hand before the first command
    desk.run("baseline", "capture", "SIT1")
    desk.run("reset", "plan", "SIT1")
    desk.run("reset", "prove", "SIT1")
    for path in (desk.folder / ".rehearse").rglob("*"):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert not mode & 0o077, f"{path}: {mode:o}"
    assert stat.S_IMODE((desk.folder / ".rehearse").stat().st_mode) == 0o700
    assert stat.S_IMODE((desk.folder / ".rehearse-key").stat().st_mode) == 0o600
    desk.run("report", "--format", "html", "--output", "page.html")
    assert stat.S_IMODE((desk.folder / "page.html").stat().st_mode) == 0o644


@pytest.mark.parametrize(
    ("database", "code"),
    [("nonsense", 2), ("nosuch://user:hunter2@here/db", 1), ("sqlite:////nowhere/at/all/x.db", 1),
     ("postgresql+psycopg://user:hunter2@127.0.0.1:1/db", 1)],
)  # fmt: skip
def test_a_team_database_that_cannot_be_opened(desk: Any, database: str, code: int) -> None:
    error = desk.refused("status", code=code, REHEARSE_DATABASE=database)
    assert "hunter2" not in str(error)


def test_a_database_that_is_none(desk: Any) -> None:
    desk.run("status")
    for left in (desk.folder / ".rehearse").glob("rehearse.db*"):
        left.unlink()
    (desk.folder / ".rehearse" / "rehearse.db").write_bytes(b"this is not a database at all" * 100)
    assert desk.refused("status", code=1)["code"] == "damaged"


def test_a_storage_path_that_is_a_file(desk: Any) -> None:
    (desk.folder / ".rehearse").write_text("in the way")
    assert desk.refused("status", code=1)["code"] == "store"


def test_a_report_goes_nowhere_but_where_it_can(desk: Any) -> None:
    answer = desk.run("report", "--format", "html", "--output", "nowhere/page.html", code=1)
    assert answer.err.startswith("error: nowhere/page.html cannot be written") and "\nhint: " in answer.err
    desk.run("report", "--output", str(desk.folder), code=1)
    desk.refused("report", "--output", "page.json", code=2)
    assert sorted(one.name for one in desk.folder.iterdir() if one.name.startswith(".page")) == []


@pytest.mark.parametrize("room", [0, 30_000] if LONG else [30_000])
def test_a_disk_that_fills_up_leaves_nothing_half_written(desk: Any, room: int) -> None:
    """No file may grow beyond `room` bytes: what the kernel then says is what a full disk says."""
    desk.run("status")

    def fill() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    kept = {key: value for key, value in os.environ.items() if not key.startswith("REHEARSE_")}
    done = subprocess.run(
        [sys.executable, "-m", "rehearse", "baseline", "capture", "SIT1"],
        cwd=desk.folder,
        env={**kept, "HOME": str(desk.folder)},
        capture_output=True,
        text=True,
        preexec_fn=fill,
        check=False,
        timeout=120,
    )
    assert done.returncode == 1, done
    assert "error: " in done.stderr and "hint: " in done.stderr and "Traceback" not in done.stderr
    assert desk.json("baseline", "list")["baselines"] == []
    assert not list((desk.folder / ".rehearse").glob("captures/*/manifest.json"))
    assert desk.json("baseline", "capture", "SIT1")["verdict"] == "usable"
    assert not list((desk.folder / ".rehearse").rglob("*.tmp"))


@pytest.mark.parametrize("held", [False, True], ids=["closed", "open"])
def test_a_database_on_a_full_disk_can_be_read(tmp_path: Path, held: bool) -> None:
    """Also what its journal alone holds, where whoever wrote it was killed, and while it is open elsewhere."""
    database = open_database(tmp_path / "used")
    with database.begin() as connection:
        connection.exec_driver_sql("INSERT INTO api_calls VALUES ('o', 'h', 1)")
    if held:
        shutil.copytree(tmp_path / "used", tmp_path / "left", ignore=shutil.ignore_patterns("*-shm"))
    database.close()
    folders = [tmp_path / "used", *([tmp_path / "left"] if held else [])]
    look = (
        "import sys, pathlib; from rehearse.errors import DiskFull; from rehearse.state import open_database\n"
        "for name in sys.argv[1:]:\n"
        "    database = open_database(pathlib.Path(name))\n"
        "    assert database.read_only and database.full\n"
        "    with database.begin() as connection:\n"
        "        assert connection.exec_driver_sql('SELECT calls FROM api_calls').scalar() == 1\n"
        "    try:\n"
        "        with database.begin() as connection: connection.exec_driver_sql('DELETE FROM api_calls')\n"
        "    except DiskFull: print('full')\n"
        "    database.close()\n"
    )
    words = [sys.executable, "-c", look, *map(str, folders)]
    done = subprocess.run(words, capture_output=True, text=True, preexec_fn=_no_room, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (0, "full\n" * len(folders)), done.stderr


def _no_room() -> None:
    """No file may hold a byte more: what the kernel then says is what a full disk says."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def test_what_shows_and_checks_works_on_a_full_disk(kept_desk: Any, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(kept_desk.folder, tmp_path / "full"))
    kept = {key: value for key, value in os.environ.items() if not key.startswith("REHEARSE_")}

    def run(*words: str) -> Any:
        return subprocess.run(
            [sys.executable, "-m", "rehearse", *words],
            cwd=folder,
            env={**kept, "HOME": str(folder)},
            capture_output=True,
            text=True,
            preexec_fn=_no_room,
            check=False,
            timeout=60,
        )

    done = run("status")
    assert done.returncode == 0 and "on a disk that is full" in done.stderr and "UATFULL" in done.stdout, done.stderr
    where = ("--from", "2026-12-03 09:00", "--to", "2026-12-03 10:00", "--why", "x")
    done = run("book", "add", "DEV2", *where)
    assert done.returncode == 1 and "error: The workspace database cannot be written: the disk is full." in done.stderr


def test_nothing_leaves_the_folder(desk: Any, tmp_path: Path) -> None:
    desk.run("baseline", "capture", "SIT1", "--metadata-only")
    assert {one.name for one in tmp_path.iterdir()} == {desk.folder.name}
    assert {one.name for one in desk.folder.iterdir()} == {".rehearse", ".rehearse-key", "plans", "rehearse.yaml"}


class _Capabilities(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint32) for name in ("effective", "permitted", "inheritable")]


def _obey_permissions() -> None:
    """From here on this thread may no longer pass over the permissions of files, also where it is root's."""
    libc = ctypes.CDLL(None, use_errno=True)
    head, held = (ctypes.c_uint32 * 2)(0x20080522, 0), (_Capabilities * 2)()
    assert libc.capget(head, held) == 0
    held[0].effective &= ~0b110  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
    assert libc.capset(head, held) == 0


def _as_a_user(work: Callable[[], None]) -> None:
    """Capabilities are a thread's own: the work is done in one that has none, and its error comes out here."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            _obey_permissions()
            work()
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]


def _allow(folder: Path, *, writing: bool) -> None:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod((0o700 if path.is_dir() else 0o600) if writing else (0o500 if path.is_dir() else 0o400))


@pytest.fixture
def moved(kept_desk: Any, tmp_path: Path) -> Iterator[Any]:
    """The kept workspace in another place, where nothing may be written."""
    folder = Path(shutil.copytree(kept_desk.folder, tmp_path / 'it\'s ünder ?#% "here"'))
    _allow(folder, writing=False)
    yield replace(kept_desk, folder=folder)
    _allow(folder, writing=True)


def test_what_reads_works_where_nothing_may_be_written(moved: Any) -> None:
    before = {path: path.read_bytes() for path in moved.folder.rglob("*") if path.is_file()}

    def work() -> None:
        assert is_read_only(moved.folder / ".rehearse")
        for words in (("status",), ("sandboxes",), ("ledger", "list"), ("book", "list"), ("report",)):
            answer = moved.run(*words)
            assert "can only be read" in answer.err and answer.out
        assert moved.json("baseline", "list")["baselines"][0]["coverage"]
        assert moved.json("baseline", "verify", "B1")["verdict"] == "usable"
        error = moved.refused(
            "book", "add", "DEV2", "--from", "2026-12-03 09:00", "--to", "2026-12-03 10:00", "--why", "x", code=1
        )
        assert "readonly" in error["message"]
        moved.refused("diff", "SIT1", code=1)

    _as_a_user(work)
    assert {path: path.read_bytes() for path in moved.folder.rglob("*") if path.is_file()} == before


def test_a_workspace_that_was_moved_keeps_its_baselines(moved: Any) -> None:
    _allow(moved.folder, writing=True)
    assert moved.json("baseline", "verify", "B1")["verdict"] == "usable"
    kept, *_ = moved.json("baseline", "prune", "--dry-run")["captures"]
    assert (kept["baseline"], kept["fate"]) == ("B1", "kept")


def test_a_database_that_may_only_be_read_takes_what_is_observed_and_nothing_else(tmp_path: Path) -> None:
    open_database(tmp_path).close()
    _allow(tmp_path, writing=False)

    def work() -> None:
        database = open_database(tmp_path)
        assert database.read_only
        with database.for_now(), database.begin() as connection:
            connection.exec_driver_sql("INSERT INTO api_calls VALUES ('o', 'h', 1)")
        with database.begin() as connection:
            assert connection.exec_driver_sql("SELECT calls FROM api_calls").scalar() == 1
        with pytest.raises(StoreError, match="readonly"), database.begin() as connection:
            connection.exec_driver_sql("DELETE FROM api_calls")
        database.close()

    _as_a_user(work)
    _allow(tmp_path, writing=True)


def test_a_store_of_another_owner_is_not_called_damaged() -> None:
    importlib.import_module("rehearse.baseline.metadata_store")
    assert not pygit2.settings.owner_validation
