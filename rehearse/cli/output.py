"""Answers as pages and as files: written whole beside the target and put in its place, or the old file stays."""

from __future__ import annotations

import enum
import os
import tempfile
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from rehearse.cli.answers import say
from rehearse.errors import StoreError
from rehearse.report.view import Page


class Form(enum.StrEnum):
    """What a page can be written as."""

    text = "text"
    markdown = "markdown"
    html = "html"


def render_page(form: Form, page: Page, at: datetime, zone: ZoneInfo) -> str:
    """The page as text 200 columns wide, Markdown, or one HTML file that says when it was made."""
    if form is Form.html:
        from rehearse.report.html import render_html

        return render_html(page, at, zone)
    if form is Form.markdown:
        from rehearse.report.markdown import render_markdown

        return render_markdown(page, zone)
    from rehearse.report.text import render_text

    return render_text(page, width=200)


def check_output(output: Path | None) -> None:
    """Raise StoreError before hours of work when a file could not be written where it is asked for."""
    if output is not None and (output.is_dir() or not os.access(output.parent, os.W_OK)):
        raise StoreError(f"{output} cannot be written there.", "Choose another --output.")


def write_output(output: Path, content: bytes, mode: int) -> None:
    """Write a whole file with these rights or leave the old one. Raises StoreError."""
    name = ""
    try:
        handle, name = tempfile.mkstemp(dir=output.parent, prefix=f".{output.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(mode)
        Path(name).replace(output)
    except OSError as error:
        if name:
            Path(name).unlink(missing_ok=True)
        raise StoreError(f"{output} cannot be written: {error.strerror}.", "Choose another --output.") from error
    say(f"Wrote {output}.")
