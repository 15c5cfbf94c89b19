"""What to ask the platform team for, where our own login may not refresh sandboxes: the words, ready to be sent. Pure.

It names the sandbox, every setting that must stay as it is, and what to write into the ledger afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

MAY_NOT = frozenset({"INSUFFICIENT_ACCESS", "INSUFFICIENT_ACCESS_OR_READONLY", "INVALID_TYPE", "NOT_FOUND"})
"""What production answers to a login that lacks *Manage Sandboxes*: then others must be asked."""

Deed = Literal["request", "activate", "discard"]


def build_letter(
    deed: Deed, production: str, sandbox: str, fields: Mapping[str, object], copy_id: str = ""
) -> tuple[str, ...]:
    """The lines of the letter. `fields` are the settings of the sandbox that must be given again."""
    if deed == "request":
        return (*_request(production, sandbox, fields), *_afterwards(sandbox, "--requested"))
    verb = "Activate" if deed == "activate" else "Discard"
    lines = [
        f"Please {verb.lower()} the new copy of the sandbox {sandbox} of {production}.",
        f"In Setup > Sandboxes, beside {sandbox}: {verb}{f' (process {copy_id})' if copy_id else ''}.",
    ]
    if deed == "activate":
        lines.append(f"This replaces the old {sandbox} for good. It must happen within 30 days of the copy.")
        return (*lines, *_afterwards(sandbox, "--requested DATE --copied DATE --activated"))
    return (*lines, f"The old {sandbox} stays as it is; the interval until the next refresh counts all the same.")


def _request(production: str, sandbox: str, fields: Mapping[str, object]) -> list[str]:
    kept = [f"  {name}: {value}" for name, value in fields.items() if value not in (None, "")]
    return [
        f"Please request a refresh of the sandbox {sandbox} of {production}.",
        f"In Setup > Sandboxes, beside {sandbox}: Refresh. Leave Auto Activate off: we say when.",
        *(["Keep these settings as they are:", *kept] if kept else []),
        "A refresh cannot be cancelled. Please send back the time of the request, or the text of a refusal.",
    ]


def _afterwards(sandbox: str, what: str) -> tuple[str, ...]:
    return (f"Afterwards, on our side: rehearse ledger add {sandbox} {what} DATE --by NAME",)
