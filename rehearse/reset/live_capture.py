"""Capturing the sandbox as it is now, within exactly the frozen scope of a baseline."""

from __future__ import annotations

from rehearse.baseline.capture import CaptureRequest, capture
from rehearse.baseline.model import Capture, Scope
from rehearse.baseline.record_store import CaptureStore
from rehearse.events import OnEvent
from rehearse.org.connect import OrgReader


def capture_live(
    reader: OrgReader, store: CaptureStore, before: Capture, on_event: OnEvent, base: Capture | None = None
) -> Capture:
    """A capture with the baseline's scope and manifest, plus what was added since. Raises GenerationChanged.

    With `base`, an earlier capture of this generation, only rows that may have changed since are read.
    """
    scope = Scope(metadata_include=before.scope.types, objects=tuple(one.name for one in before.scope.objects))
    return capture(reader, CaptureRequest(before.sandbox, scope, frozen=before, base=base), store, on_event)
