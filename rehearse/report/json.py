"""Answers for scripts: one JSON object a command, `{"schema": "rehearse.NAME/1", "at": …}`, stable in shape."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from rehearse import clock


def render_answer(name: str, at: datetime, body: Mapping[str, Any]) -> str:
    """One answer as JSON text; instants become UTC ISO with Z, durations hours, frozen values plain objects."""
    answer = {"schema": f"rehearse.{name}/1", "at": clock.iso(at), **body}
    text = json.dumps(answer, default=_plain, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a letter, which an org's answer may hold and no encoding can write
        return json.dumps(answer, default=_plain)
    return text


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return clock.iso(value)
    if isinstance(value, timedelta):
        return round(value / timedelta(hours=1), 2)
    if isinstance(value, Path):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
