"""The command line: the Typer app, and the one error boundary that turns the error tree into words and exit codes.

Data goes to stdout, words to stderr. With `--json` an error is one JSON object on stdout, also a mistyped option and
an interruption. Anything outside the tree of `rehearse.errors` is a bug and keeps its traceback, except what the
operating system says about a full or read-only disk and a closed pipe.
"""

from __future__ import annotations

import atexit
import codecs
import errno
import gc
import io
import os
import stat
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from rehearse.cli.answers import keep_files_private, printable
from rehearse.errors import DiskFull, Interrupted, RehearseError, StoreError, UsageError

app = typer.Typer(
    name="rehearse",
    help="Plan release rehearsals into Salesforce sandboxes, put the sandbox back, and prove it.",
    short_help="Rehearse releases in sandboxes, and put them back.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
)

_PLAIN = {"─": "-", "…": "...", "·": ".", "“": '"', "”": '"', "’": "'", "→": "->"}
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_CLOSED = (errno.EROFS, errno.EACCES, errno.EPERM)


def _version(wanted: bool) -> None:
    if wanted:
        from rehearse import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and stop.")
    ] = False,
) -> None:
    pass


def main(words: Sequence[str] | None = None) -> None:
    """Run the command line and end the process; the only place where an error of the tree ends it."""
    from rehearse.cli import verbs

    _open_what_is_closed()
    atexit.register(_leave_cycles)
    given = list(sys.argv[1:] if words is None else words)
    verbs.register(app, given[0] if given else "")
    keep_files_private()
    _speak_plainly()
    try:
        code = _run(given)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read our data has seen enough, as in `rehearse status | head -1`
        _drop_stdout()
        code = 1
    except RehearseError as error:
        code = error.exit_code
        _show(error, as_json="--json" in given)
    except OSError as error:
        no_output = error.filename is None and not _is_pipe()
        translated = _translated(error, "the output" if no_output else "a file of the workspace")
        code = translated.exit_code
        if no_output:
            _drop_stdout()
        _show(translated, as_json="--json" in given and not no_output)
    sys.exit(code)


def _leave_cycles() -> None:
    """Looking for cycles in all that is left takes the interpreter a quarter of a second; DuckDB's bindings, where they
    were needed, would complain on stderr of every object of theirs that stays."""
    if "duckdb" not in sys.modules:
        gc.freeze()


def _open_what_is_closed() -> None:
    """Whoever starts us without a stdin, stdout or stderr gets /dev/null in its place: the next file that is opened
    would take the number, and a library that complains on stderr would write into the database."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            handle = os.open(os.devnull, os.O_RDWR)
            if handle != number:
                os.dup2(handle, number)
                os.close(handle)
            setattr(sys, name, os.fdopen(number, "w" if number else "r"))


def _speak_plainly() -> None:
    """What a terminal's encoding lacks (`─` in Latin-1) is said with what it has, instead of ending the command."""

    def plain(error: UnicodeError) -> tuple[str, int]:
        assert isinstance(error, UnicodeEncodeError)
        return "".join(_PLAIN.get(one, "?") for one in error.object[error.start : error.end]), error.end

    codecs.register_error("rehearse-plain", plain)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="rehearse-plain")


def _drop_stdout() -> None:
    """Nothing more can be written there; without this the interpreter would try again as it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(words: list[str]) -> int:
    """One command; its exit code. A mistyped command line becomes a UsageError, Ctrl-C an error of its own."""
    try:
        code = app(words, standalone_mode=False, prog_name="rehearse")
    except (typer.Abort, KeyboardInterrupt):
        code = Interrupted.exit_code
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)
        path = context.command_path if context else "rehearse"
        if type(error).__name__ == "NoArgsIsHelpError":
            typer.echo(error.format_message(), err=True)
            return 2
        raise UsageError(error.format_message().replace("Value error, ", ""), f"See `{path} --help`.") from error
    except Exception as error:
        if not str(error).rstrip().endswith("KeyboardInterrupt:"):
            raise
        code = Interrupted.exit_code  # pydantic hands Ctrl-C on as the text of an error of its own while it gets ready
    if code == Interrupted.exit_code:
        raise Interrupted("Interrupted.", "What was done so far is kept. Run the same command again: it continues.")
    return int(code or 0)


def _is_pipe() -> bool:
    """Whether our data goes into a pipe, which no disk can be too full for."""
    try:
        return stat.S_ISFIFO(os.fstat(sys.stdout.fileno()).st_mode)
    except (OSError, ValueError):
        return False


def _translated(error: OSError, unnamed: str) -> StoreError:
    """What the operating system said, as an error of ours; anything that is not about files is a bug and goes on."""
    what = error.filename or unnamed
    if error.errno in _FULL:
        return DiskFull(f"There is no room left to write {what}.", "Free some space and run again.")
    if error.errno in _CLOSED:
        return StoreError(f"{what} cannot be used: {error.strerror}.", "Look at the permissions of the file.")
    raise error


def _show(error: RehearseError, *, as_json: bool) -> None:
    if as_json:
        import json

        from rehearse import clock

        body = {"code": error.code, "message": error.message, "hint": error.hint, "exit": error.exit_code}
        try:
            at = error.at or clock.from_iso(os.environ["REHEARSE_NOW"])
        except (KeyError, UsageError):
            at = clock.now()
        try:
            typer.echo(json.dumps({"schema": "rehearse.error/1", "at": clock.iso(at), **body}))
            sys.stdout.flush()
        except BrokenPipeError:
            _drop_stdout()
        return
    typer.echo(f"error: {printable(error.message)}", err=True)
    if error.hint:
        typer.echo(f"hint: {printable(error.hint)}", err=True)
