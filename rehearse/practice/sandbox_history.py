"""A past for the practice company: sandboxes that exist already, and the copies that were made of them long ago.

The seed says when each copy was requested, made and activated; rows appear as if it had happened, and the last copy
that counts becomes a live org, built from production as it is now. It refuses a past that could not have been: copies
out of order, or later than the virtual now.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from rehearse.practice.estate import Estate
from rehearse.practice.org_ids import to_18
from rehearse.practice.org_state import OrgState
from rehearse.practice.sandbox_engine import alone, build_org, go_live
from rehearse.practice.sandbox_requests import DEFAULTS, LICENCES
from rehearse.practice.sandbox_rows import Info, Process, SandboxRows

PLANTED_TEMPLATE = to_18("1ps000000000001")
"""The template of a planted Partial sandbox where none is given; a Partial one cannot be without."""


@dataclass(frozen=True)
class PastCopy:
    """One copy of long ago: its request, when the copy was made, and when it was activated (a refresh only).

    `waiting` is a refresh that still waits for its activation; its org is built too.
    """

    requested: datetime
    copied: datetime
    activated: datetime | None = None
    ending: Literal["completed", "discarded", "waiting"] = "completed"


@dataclass(frozen=True)
class SandboxHistory:
    """One sandbox with its copies, oldest first; the first is its creation. `fields` are SandboxInfo fields."""

    name: str
    licence: str
    user_id: str
    copies: tuple[PastCopy, ...]
    fields: Mapping[str, Any] = field(default_factory=dict)


def add_sandbox_history(estate: Estate, history: SandboxHistory) -> OrgState:
    """Plant a sandbox with its past; returns its live org. Raises ValueError for a past that could not have been.

    Rules that a request must pass (licences, names) are not asked; the seed answers for them.
    """
    _check(history, estate.clock.now())
    with alone(estate):
        rows = SandboxRows(estate.file)
        first, last = history.copies[0], history.copies[-1]
        template = {"TemplateId": PLANTED_TEMPLATE} if history.licence == "PARTIAL" else {}
        info = Info(
            id=estate.production.new_id("0GQ"),
            name=history.name,
            licence=history.licence,
            created=first.requested,
            created_by=history.user_id,
            modified=last.requested,
            modified_by=history.user_id,
            asked={**DEFAULTS, **template, **history.fields},
        )
        rows.add_info(info)
        estate.tokens.add_client(history.name, history.user_id)
        made = [_add_copy(estate, rows, info, place, copy) for place, copy in enumerate(history.copies)]
        live = [one for one in made if one.code == "1"][-1]
        for process in made:
            if process is live or process.code == "4":
                build_org(estate, process)
            else:
                estate.mark_gone(process.org)
        go_live(estate, live, estate.clock.now())
        return estate.org(live.org)


def _add_copy(estate: Estate, rows: SandboxRows, info: Info, place: int, copy: PastCopy) -> Process:
    done = copy.activated or copy.copied
    knobs = estate.settings
    started = min(copy.requested + timedelta(minutes=knobs["pending_minutes"]), copy.copied)
    code = {"completed": "1", "discarded": str(knobs["discarded_ends_as"]), "waiting": "4"}[copy.ending]
    process = Process(
        id=estate.production.new_id("0GR"),
        info_id=info.id,
        name=info.name,
        licence=info.licence,
        org=estate.reserve_org(info.name, info.id),
        is_refresh=place > 0,
        created=copy.requested,
        created_by=info.created_by,
        modified=done,
        since=done,
        code=code,
        started=started,
        released=copy.copied,
        copied=copy.copied,
        ended=copy.copied,
        discarded=copy.ending == "discarded",
        asked=info.asked,
    )
    if place > 0 and copy.ending == "completed":
        process = replace(
            process,
            activation_asked=copy.activated,
            activated=copy.activated,
            activated_by=info.created_by,
            refresh_action="ACTIVATE",
        )
    if copy.ending == "discarded":
        process = replace(process, refresh_action="DISCARD")
    rows.add_process(process)
    return process


def _check(history: SandboxHistory, now: datetime) -> None:
    name, copies = history.name, history.copies
    if history.licence not in LICENCES or not copies or copies[0].ending != "completed" or copies[0].activated:
        raise ValueError(f"The past of {name} begins with a completed creation of a known licence type.")
    if any(one.ending == "waiting" for one in copies[:-1]):
        raise ValueError(f"Only the last copy of {name} can be waiting.")
    moments: list[datetime] = []
    for place, copy in enumerate(copies):
        if place and copy.ending == "completed" and copy.activated is None:
            raise ValueError(f"Refresh {place} of {name} is completed without an activation.")
        moments += [one for one in (copy.requested, copy.copied, copy.activated) if one is not None]
    if moments != sorted(moments) or moments[-1] > now:
        raise ValueError(f"The past of {name} is out of order or lies in the future.")
