"""Fixtures of the baseline room: a store with a key file, and captures built of plain rows, without an org."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from rehearse.baseline.canonical import build_snapshot_id
from rehearse.baseline.components import read_components
from rehearse.baseline.keys import Keys
from rehearse.baseline.manifest import save_components, save_manifest
from rehearse.baseline.model import Capture, ComparableField, ObjectScope, ResolvedScope
from rehearse.baseline.record_parts import RowShape
from rehearse.baseline.record_store import CaptureStore
from rehearse.baseline.row_reading import part_file, total, write_rows
from rehearse.baseline.working import Purpose, begin
from rehearse.secret import Reference

settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

Rows = Sequence[Mapping[str, str | None]]
BuildCapture = Callable[..., Capture]
OpenStore = Callable[..., CaptureStore]
START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def open_store(root: Path, key: str = "key") -> CaptureStore:
    return CaptureStore(root / "store", Keys(root / "store" / "keys", Reference(file=str(root / key))))


@pytest.fixture
def open_a_store() -> OpenStore:
    """Opens the store below a folder, with the key file of a name beside it."""
    return open_store


@pytest.fixture
def store(tmp_path: Path) -> CaptureStore:
    return open_store(tmp_path)


def build(
    store: CaptureStore,
    objects: Mapping[str, tuple[Mapping[str, str], Rows]],
    files: Mapping[str, bytes] | None = None,
    parts: int = 1,
) -> Capture:
    """A whole capture: per object its fields (name -> type) and rows, spread over so many parts."""
    files = files or {}
    with begin(store.root / "captures", store.keys, Purpose("test", START)) as working:
        scopes, found = [], []
        for name, (fields, rows) in sorted(objects.items()):
            comparable = tuple(ComparableField(field, kind) for field, kind in sorted(fields.items()))
            stamped = bool(rows) and "SystemModstamp" in rows[0]
            shape = RowShape(name, comparable, "SystemModstamp" if stamped else None, None)
            pieces = [rows[number::parts] for number in range(parts)]
            written = [
                write_rows(part_file(working, name, number + 1), shape, piece) for number, piece in enumerate(pieces)
            ]
            scopes.append(ObjectScope(name, comparable))
            found.append(total(name, written))
        components = read_components(files)
        commit = store.metadata.save(working.ulid, files, "UAT", START)
        scope = ResolvedScope(("CustomObject",), tuple(scopes))
        capture = Capture(
            ulid=working.ulid,
            snapshot_id=build_snapshot_id(scope, components, found),
            sandbox="UAT",
            org_id="00D000000000001AAA",
            started=START,
            ended=START,
            api_version="67.0",
            scope=scope,
            manifest={},
            objects=tuple(found),
            component_count=len(components),
            components_sha256=save_components(working.folder, components),
            commit=commit,
            coverage=(),
            verdict="usable",
        )
        save_manifest(working.folder, capture)
    return capture


@pytest.fixture
def build_capture() -> BuildCapture:
    """Builds a capture in a store; see `build`."""
    return build
