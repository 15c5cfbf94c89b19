"""Capturing the sandbox as it is now, within exactly the frozen scope of a baseline."""

from __future__ import annotations

from rehearse.baseline.capture import CaptureRequest, capture
from rehearse.baseline.model import Capture, Scope
from rehearse.baseline.record_store import CaptureStore
from rehearse.events import OnEvent
from rehearse.org.connect import OrgReader


def capture_live(reader: OrgReader, store: CaptureStore, before: Capture, on_event: OnEvent) -> Capture:
    """A capture with the baseline's scope and manifest, plus what was added since. Raises GenerationChanged."""
    scope = Scope(metadata_include=before.scope.types, objects=tuple(one.name for one in before.scope.objects))
    return capture(reader, CaptureRequest(before.sandbox, scope, frozen=before), store, on_event)
