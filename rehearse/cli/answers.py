"""How a command ends: its answer as text for people or as one JSON object, and its exit code."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import typer

from rehearse.report.view import Page, printable

__all__ = [
    "Json",
    "finish",
    "is_terminal",
    "keep_files_private",
    "not_blank",
    "own_words",
    "printable",
    "say",
    "show",
    "tell",
    "user",
]

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object for scripts.")]


def not_blank(given: Any) -> Any:
    """Refuse an option that is there but empty: mostly a shell variable that was never set."""
    if isinstance(given, str) and not given.strip():
        raise typer.BadParameter("it is empty.")
    return given


_PLACES = {"TEXT", "WHY", "NAME", "REASON"}
"""What our own hints write where somebody's words belong."""


def own_words(given: Any) -> Any:
    """Refuse what names nobody and says nothing: an empty text, dots, or the placeholder of a hint that was pasted."""
    if isinstance(not_blank(given), str) and (given.strip() in _PLACES or not any(map(str.isalnum, given))):
        raise typer.BadParameter(f"write your own words in place of {given.strip()}")
    return given


def keep_files_private() -> None:
    """From here on, new files of this process can be read by their owner only, whatever the umask was."""
    os.umask(0o077)


def finish(
    name: str, at: datetime, body: Mapping[str, Any], page: Page, *, as_json: bool, code: int = 0, then: str = ""
) -> None:
    """Print an answer and end the command with its exit code (3: finished, and the answer is no).

    `then` is the command to run next: people read it last, on stderr.
    """
    if as_json:
        from rehearse.report.json import render_answer

        typer.echo(render_answer(name, at, body).encode())  # JSON is UTF-8, whatever the terminal speaks
    else:
        show(page)
        if then:
            say(f"Next: {then}")
    if code:
        raise typer.Exit(code)


def tell(name: str, at: datetime, body: Mapping[str, Any], words: str, *, as_json: bool) -> None:
    """End a command that has done something and has no data: words on stderr, or one JSON object."""
    if as_json:
        finish(name, at, body, Page("", ()), as_json=True)
    else:
        say(words)


def show(page: Page) -> None:
    """Print a page as text, as wide as the terminal, coloured where the terminal and NO_COLOR agree."""
    from rehearse.report.text import render_text

    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    typer.echo(render_text(page, width=max(20, min(180, _width())), colour=colour), nl=False)


def _width() -> int:
    """How wide people see what we print: COLUMNS, else the terminal, also behind a pipe (`| less`); 150 in a log."""
    told = os.environ.get("COLUMNS", "")
    if told.isdecimal() and int(told):
        return int(told)
    for stream in (sys.__stdout__, sys.__stderr__, sys.__stdin__):
        try:
            columns = os.get_terminal_size(stream.fileno()).columns if stream else 0
        except (OSError, ValueError):  # no terminal, or closed
            continue
        if columns:
            return columns
    return 150


def say(text: str) -> None:
    """Words for the user, on stderr, so that data on stdout stays clean."""
    typer.echo(printable(text), err=True)


def is_terminal() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def user() -> str:
    """The name under which this command books, resets and keeps the ledger."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def one_line(text: str) -> str:
    """Words that others will read in tables and calendars: one line, nothing that steers a terminal."""
    return printable(" ".join(text.split()))[:200]
