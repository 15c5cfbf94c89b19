"""How a command ends: its answer as text for people or as one JSON object, and its exit code."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import typer

from rehearse.report.view import Page

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object for scripts.")]


def finish(name: str, at: datetime, body: Mapping[str, Any], page: Page, *, as_json: bool, code: int = 0) -> None:
    """Print an answer and end the command with its exit code (3: finished, and the answer is no)."""
    if as_json:
        from rehearse.report.json import render_answer

        typer.echo(render_answer(name, at, body))
    else:
        show(page)
    if code:
        raise typer.Exit(code)


def show(page: Page) -> None:
    """Print a page as text, as wide as the terminal, coloured where the terminal and NO_COLOR agree."""
    from rehearse.report.text import render_text

    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    width = max(80, min(180, shutil.get_terminal_size((150, 24)).columns))
    typer.echo(render_text(page, width=width, colour=colour), nl=False)


def say(text: str) -> None:
    """Words for the user, on stderr, so that data on stdout stays clean."""
    typer.echo(text, err=True)


def is_terminal() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()
