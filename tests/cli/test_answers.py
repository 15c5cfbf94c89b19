"""How a command shows its answer: as wide as whoever reads it sees."""

import contextlib
import fcntl
import io
import json
import os
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rehearse import clock
from rehearse.cli import app, verbs
from rehearse.cli.answers import finish, own_words, show
from rehearse.cli.app import main
from rehearse.cli.practice_world import translated
from rehearse.errors import Interrupted
from rehearse.report.view import Page, Paragraph


def _shown(capsys: pytest.CaptureFixture[str]) -> int:
    show(Page("", (Paragraph("a " * 400),)))
    return max(len(line) for line in capsys.readouterr().out.splitlines())


def test_a_page_behind_a_pipe_is_as_wide_as_the_terminal_that_it_is_read_in(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 72, 0, 0))
    with open(slave, "w") as terminal, (tmp_path / "pipe").open("w") as pipe:
        for name in ("__stdout__", "__stderr__", "__stdin__"):
            monkeypatch.setattr(sys, name, pipe)
        assert _shown(capsys) == 149  # nobody looks: a log
        monkeypatch.setattr(sys, "__stderr__", terminal)
        assert _shown(capsys) == 71
        monkeypatch.setenv("COLUMNS", "50")
        assert _shown(capsys) == 49
    os.close(master)


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "cp1252"])
def test_what_an_encoding_lacks_ends_no_command_and_json_is_utf_8(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "rehearse.yaml").write_text("version: 1\ntimezone: Europe/Dublin\nsandboxes:\n  UAT: {type: FULL}\n")
    out = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    with contextlib.redirect_stdout(out), contextlib.chdir(tmp_path), pytest.raises(SystemExit) as ended:
        main(["sandboxes"])
    assert ended.value.code == 0
    rule = "─────".encode() if encoding == "ascii" else b"-----"  # typer itself takes a stream of ASCII for UTF-8
    assert rule in out.buffer.getvalue()
    out = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    with contextlib.redirect_stdout(out):
        finish("thing", clock.now(), {"by": "Rónán \ud800"}, Page("", ()), as_json=True)
        finish("thing", clock.now(), {"by": "Rónán → …"}, Page("", ()), as_json=True)
    broken, whole = out.buffer.getvalue().decode().splitlines()
    assert json.loads(broken)["by"] == "Rónán \ud800" and json.loads(whole)["by"] == "Rónán → …"


def test_a_command_without_streams_does_its_work_and_writes_into_no_file(tmp_path: Path) -> None:
    (tmp_path / "rehearse.yaml").write_text("version: 1\ntimezone: Europe/Dublin\nsandboxes:\n  UAT: {type: FULL}\n")

    def close() -> None:
        for number in (0, 1, 2):
            os.close(number)

    command = [sys.executable, "-m", "rehearse", "report", "--output", "page.txt"]
    done = subprocess.run(command, cwd=tmp_path, preexec_fn=close, check=False, timeout=120)
    assert done.returncode == 0
    assert (tmp_path / "page.txt").read_text().count("UAT")
    assert (tmp_path / ".rehearse" / "rehearse.db").read_bytes().startswith(b"SQLite format 3")


def test_ctrl_c_while_everything_is_still_loaded_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text("raise KeyboardInterrupt")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    done = subprocess.run(
        [sys.executable, "-m", "rehearse", "status"], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr.splitlines()[0]) == (130, "error: Interrupted.")


def test_ctrl_c_that_a_library_hands_on_as_its_own_error_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def end(error: Exception) -> None:
        raise error

    said = 'Error building "model" validator:\n  SchemaError: Field "at":\n  KeyboardInterrupt: '
    for error, kind in ((ValueError(said), Interrupted), (ValueError("no"), ValueError)):
        monkeypatch.setattr(app, "app", lambda *words, found=error, **more: end(found))
        with pytest.raises(kind):
            app._run(["status"])


def test_a_library_says_nothing_of_its_own_as_a_large_comparison_ends() -> None:
    code = "import duckdb; from rehearse.cli.app import main; duckdb.connect().execute('SELECT 1'); main(['--version'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")


def test_nothing_heavy_is_loaded_before_a_capture_asks_its_first_questions() -> None:
    """A slip of one import held every capture up by a sixth of a second, and nothing failed."""
    early = (
        *("cli.baseline_capture", "cli.desk", "cli.gate", "cli.drill", "baseline.capture", "org.connect"),
        *("reset.drill_progress", "reset.gates", "refresh.ready_store", "schedule.ledger_store"),
    )
    heavy = "{'numpy', 'pyarrow', 'pygit2', 'duckdb', 'ortools', 'rich.console', 'jinja2', 'alembic'}"
    code = f"import sys, {', '.join(f'rehearse.{one}' for one in early)}; print(sorted({heavy} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() == "[]"


def test_where_production_cannot_be_asked_what_was_seen_last_is_pointed_at(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NOBODY_SET", raising=False)
    login = "{token: {url: {env: NOBODY_SET}, access_token: {env: NOBODY_SET}}}"
    (tmp_path / "rehearse.yaml").write_text(
        f"version: 1\ntimezone: Europe/Dublin\nproduction: {{name: P, login: {login}}}\n"
        "sandboxes: {UAT: {type: FULL}}\n"
    )
    for words, code in (("sandboxes", 12), ("status", 0)):
        with contextlib.chdir(tmp_path), pytest.raises(SystemExit) as ended:
            main([words])
        assert ended.value.code == code
        told = capsys.readouterr()
        assert ("`rehearse status` shows what was seen last" in told.err) == bool(code) and bool(told.out) != bool(code)


def test_whoever_has_seen_enough_of_an_error_gets_no_traceback(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as nobody_reads:
        done = subprocess.run(
            [sys.executable, "-m", "rehearse", "no-such-verb", "--json"],
            stdout=nobody_reads, stderr=subprocess.PIPE, text=True, cwd=tmp_path, check=False, timeout=120,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (2, "")
    with pytest.raises(BrokenPipeError), translated():  # no fault of a practice world's disk
        raise BrokenPipeError


@pytest.mark.parametrize("given", ["…", "...", "TEXT", " NAME ", "", "-"])
def test_a_hint_that_was_pasted_with_its_placeholder_gives_no_reason(given: str) -> None:
    verbs.register(app.app, "reset")
    words = ["reset", "prove", "UATFULL", "--accept-residue", "UATFULL", "--reason", given]
    answer = CliRunner().invoke(app.app, words)
    assert answer.exit_code == 2 and ("own words" in answer.output or "it is empty" in answer.output)


def test_words_of_ones_own_are_taken_as_they_are() -> None:
    assert own_words("the NAME is ours") == "the NAME is ours" and own_words(None) is None


def test_a_full_disk_behind_a_pipe_is_not_the_output(tmp_path: Path) -> None:
    """What the system says without the name of a file: a script gets its JSON object, but on a full device."""
    fail = (
        "import errno, sys; from rehearse.cli import app, verbs\n"
        "def broken(words): raise OSError(errno.ENOSPC, 'No space left on device')\n"
        "app._run = broken; app.main(['status', '--json'])\n"
    )
    command = [sys.executable, "-c", fail]
    piped = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    said = json.loads(piped.stdout)
    assert (piped.returncode, said["code"]) == (1, "disk-full") and "a file of the workspace" in said["message"]
    with Path("/dev/full").open("w") as full:
        kept = {"stdout": full, "stderr": subprocess.PIPE, "text": True, "timeout": 60}
        told = subprocess.run(command, cwd=tmp_path, check=False, **kept)  # type: ignore[call-overload]
    assert told.returncode == 1 and "no room left to write the output" in told.stderr
