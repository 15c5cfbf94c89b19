"""A reset plan as a file: saved once, shown, then applied from the file alone. Holds no record value.

The file is JSON with the schema name `rehearse.reset-plan/1`. A file whose fingerprint is not that of its content is
refused, so an edited or damaged plan is never applied.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from rehearse import clock
from rehearse.baseline.writing import write_durably
from rehearse.errors import Damaged, NotFound, UsageError
from rehearse.reset.model import Action, Allowed, Blocked, Creation, ResetPlan, Switch
from rehearse.reset.plan import build_fingerprint, plain

SCHEMA = "rehearse.reset-plan/1"


def save_plan(plan: ResetPlan, path: Path) -> None:
    """Write a plan; the file appears whole or not at all. Raises DiskFull."""
    content = {"schema": SCHEMA, "at": clock.iso(plan.made_at), **plain(plan)}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_durably(path, f"{{\n{_lines(content)}\n}}\n".encode())


def may_leave_rows(path: Path) -> bool:
    """Whether a saved plan may leave rows of others standing, told without taking a large one apart; damage: yes."""
    content = path.read_bytes()
    return content.count(b'"stay"') != content.count(b'"stay": false')


def _lines(content: dict[str, Any]) -> str:
    """A line a name, and of a list a line an item: for people to read, and quick where there are a million actions."""
    write = json.JSONEncoder(sort_keys=True).encode
    found = []
    for name, value in sorted(content.items()):
        many = isinstance(value, list | tuple) and bool(value)
        text = "[\n  " + ",\n  ".join(map(write, value)) + "\n ]" if many else write(value)
        found.append(f" {write(name)}: {text}")
    return ",\n".join(found)


def load_plan(path: Path) -> ResetPlan:
    """Read a plan back. Raises NotFound without a file, Damaged when it is not what was saved."""
    if not os.path.isfile(path):  # unlike Path.exists, False also for a name that no file can have
        raise NotFound(f"There is no reset plan at {path}.", "Make one with `rehearse reset plan`.")
    try:
        content = json.loads(path.read_bytes())
        plan = _from_plain(content)
    except (ValueError, KeyError, TypeError, AttributeError, UsageError) as error:
        raise Damaged(f"The reset plan {path} cannot be read.", "Make a new one with `rehearse reset plan`.") from error
    whole = content.get("schema") == SCHEMA and content.get("at") == content["made_at"]
    if not whole or build_fingerprint(plan) != plan.fingerprint:
        raise Damaged(
            f"The reset plan {path} is not what was saved: its fingerprint differs.",
            "Make a new one with `rehearse reset plan`.",
        )
    return plan


def _from_plain(content: dict[str, Any]) -> ResetPlan:
    rest = {name: value for name, value in content.items() if name not in ("schema", "at")}
    return ResetPlan(
        **{
            **rest,
            "made_at": clock.from_iso(rest["made_at"]),
            "actions": tuple(Action(**{**one, "fields": tuple(one["fields"])}) for one in rest["actions"]),
            "blocked": tuple(Blocked(**one) for one in rest["blocked"]),
            "warnings": tuple(rest["warnings"]),
            "created": tuple(Creation(**one) for one in rest["created"]),
            "bypass": tuple(
                Switch(**{**one, "values": tuple((name, value) for name, value in one["values"])})
                for one in rest["bypass"]
            ),
            "egress": tuple(Allowed(**one) for one in rest["egress"]),
        }
    )
