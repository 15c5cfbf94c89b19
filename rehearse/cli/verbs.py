"""The list of verbs. Each file of this room is one verb; what it needs is imported when it runs, so help stays fast.

A command line that begins with a verb loads that verb alone: the others would only cost time.
"""

from __future__ import annotations

from importlib import import_module

import typer

GROUPS = ("practice", "book", "ledger", "refresh", "baseline", "reset")
"""Verbs that have verbs of their own."""

VERBS = {
    "init": "init",
    "demo": "demo",
    "practice": "practice",
    "sandboxes": "sandboxes",
    "status": "sandboxes",
    "plan": "plan",
    "book": "book",
    "ledger": "ledger",
    "refresh": "refresh",
    "baseline": "baseline",
    "diff": "diff",
    "fidelity": "fidelity",
    "forecast": "forecast",
    "reset": "reset",
    "drill": "drill",
    "backout": "backout",
    "report": "report",
}
"""Verb -> its file, in the order in which a newcomer meets them."""


def register(app: typer.Typer, first_word: str = "") -> None:
    """Add a verb to the app; all of them, where the command line does not begin with one. Nothing is added twice."""
    there = {one.name for one in app.registered_commands} | {one.name for one in app.registered_groups}
    for name in [first_word] if first_word in VERBS else VERBS:
        if name in there:
            continue
        found = import_module(f"rehearse.cli.{VERBS[name]}")
        if name in GROUPS:
            app.add_typer(found.app, name=name)
        else:
            app.command(name)(getattr(found, name))
