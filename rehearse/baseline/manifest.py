"""A capture as a file: JSON with a digest of itself, and its list of components beside it.

Holds names, counts and digests, never a record value. The file is read only when its digest is right.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from rehearse import clock
from rehearse.baseline.model import (
    Capture,
    ComparableField,
    Component,
    CoverageRow,
    ObjectCapture,
    ObjectScope,
    Package,
    Part,
    ResolvedScope,
    Schedule,
)
from rehearse.baseline.writing import write_durably
from rehearse.errors import Damaged, NotFound
from rehearse.ids import build_content_id

MANIFEST, COMPONENTS = "manifest.json", "components.json"
_VERSION = 1


def save_manifest(folder: Path, capture: Capture) -> str:
    """Write the manifest of a capture, last of all its files; returns the SHA-256 of the file. Raises DiskFull."""
    content = {
        **asdict(capture),
        "started": clock.iso(capture.started),
        "ended": clock.iso(capture.ended),
    }
    text = dump_checked(content)
    write_durably(folder / MANIFEST, text)
    return hashlib.sha256(text).hexdigest()


def load_manifest(folder: Path) -> Capture:
    """The capture in a folder. Raises NotFound without a manifest, Damaged when it is not what was written."""
    path = folder / MANIFEST
    if not path.exists():
        raise NotFound(
            f"There is no finished capture {folder.name} in {folder.parent.parent}.",
            "Restore the folder of the store from a copy, or take a new baseline (`rehearse baseline capture`).",
        )
    content = load_checked(path)
    try:
        return Capture(
            **{
                **content,
                "started": clock.from_iso(content["started"]),
                "ended": clock.from_iso(content["ended"]),
                "scope": scope_from(content["scope"]),
                "manifest": {name: tuple(members) for name, members in content["manifest"].items()},
                "objects": tuple(object_from(one) for one in content["objects"]),
                "coverage": tuple(CoverageRow(**one) for one in content["coverage"]),
                "hollow": tuple(content["hollow"]),
                "packages": tuple(Package(**one) for one in content.get("packages", ())),
                "schedules": tuple(Schedule(**one) for one in content.get("schedules", ())),
            }
        )
    except (KeyError, TypeError, ValueError) as error:
        raise Damaged(f"{path} is not the manifest of a capture.", "It was written by another version.") from error


def save_components(folder: Path, components: Sequence[Component]) -> str:
    """Write the list of components; returns the SHA-256 of the file."""
    told: dict[datetime | None, str | None] = {None: None}  # what was deployed together has one instant
    told |= {one: clock.iso(one) for one in {one.at for one in components} if one is not None}
    rows = [[one.type, one.full_name, one.digest, one.files, one.by, told[one.at]] for one in components]
    text = json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode()
    write_durably(folder / COMPONENTS, text)
    return hashlib.sha256(text).hexdigest()


def load_components(folder: Path, sha256: str, *, signed: bool = True) -> tuple[Component, ...]:
    """The list of components, checked against the digest in the manifest; who changed them, where `signed`.

    Raises Damaged.
    """
    path = folder / COMPONENTS
    content = path.read_bytes() if path.exists() else b""
    if hashlib.sha256(content).hexdigest() != sha256:
        raise Damaged(f"{path} is not what was written.", "Take a new baseline, or restore the file from a copy.")
    rows = json.loads(content)
    if not signed:
        return tuple(Component(type, name, digest, tuple(files)) for type, name, digest, files, _, _ in rows)
    return tuple(
        Component(type, name, digest, tuple(files), by, clock.from_iso(at) if at else None)
        for type, name, digest, files, by, at in rows
    )


def dump_checked(content: Mapping[str, Any]) -> bytes:
    """JSON that carries the digest of its content."""
    body = json.loads(json.dumps(content))
    text = {"version": _VERSION, "digest": build_content_id(body), "content": body}
    return json.dumps(text, ensure_ascii=False, indent=1).encode() + b"\n"


def load_checked(path: Path) -> dict[str, Any]:
    """The content of a file that `dump_checked` made. Raises Damaged."""
    try:
        outer = json.loads(path.read_bytes())
        content: dict[str, Any] = outer["content"]
        whole = outer["version"] == _VERSION and outer["digest"] == build_content_id(content)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Damaged(f"{path} cannot be read as it was written.", "Restore the file from a copy.") from error
    if not whole:
        raise Damaged(f"{path} does not match its own digest.", "Restore the file from a copy.")
    return content


def scope_from(content: Mapping[str, Any]) -> ResolvedScope:
    """A resolved scope from its JSON."""
    objects = tuple(
        ObjectScope(one["name"], tuple(ComparableField(**field) for field in one["fields"]), one["where"])
        for one in content["objects"]
    )
    return ResolvedScope(tuple(content["types"]), objects)


def object_from(content: Mapping[str, Any]) -> ObjectCapture:
    """The capture of one object from its JSON."""
    parts, removed = (tuple(Part(**one) for one in named) for named in (content["parts"], content.get("removed", ())))
    filled = content.get("filled", {})
    return ObjectCapture(content["object"], content["rows"], content["digest_sum"], parts, removed, filled)
