"""The list of verbs. Each file of this room is one verb; what it needs is imported when it runs, so help stays fast."""

from __future__ import annotations

import typer

from rehearse.cli import (
    backout,
    baseline,
    book,
    demo,
    diff,
    drill,
    fidelity,
    forecast,
    init,
    ledger,
    plan,
    practice,
    refresh,
    report,
    reset,
    sandboxes,
)


def register(app: typer.Typer) -> None:
    """Add every verb to the app, in the order in which a newcomer meets them."""
    app.command()(init.init)
    app.command()(demo.demo)
    app.add_typer(practice.app, name="practice")
    app.command()(sandboxes.sandboxes)
    app.command()(sandboxes.status)
    app.command()(plan.plan)
    app.add_typer(book.app, name="book")
    app.add_typer(ledger.app, name="ledger")
    app.add_typer(refresh.app, name="refresh")
    app.add_typer(baseline.app, name="baseline")
    app.command()(diff.diff)
    app.command()(fidelity.fidelity)
    app.command()(forecast.forecast)
    app.add_typer(reset.app, name="reset")
    app.command()(drill.drill)
    app.command()(backout.backout)
    app.command()(report.report)
