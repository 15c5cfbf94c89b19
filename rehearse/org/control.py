"""ProductionControl: the sandbox lifecycle of a production org, and nothing else. Its wire refuses any other write.

Each request is sent once: a refresh cannot be cancelled and costs the interval. After OrgUncertain look at
`fetch_sandbox_copies` before anything is asked again.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType

from rehearse.org.model import Identity, SandboxCopy, SandboxRecord, Value
from rehearse.org.reader import OrgReader
from rehearse.org.sandboxes import SandboxLifecycle


class ProductionControl:
    """Refresh a sandbox, activate or discard its copy; close it, or use it in a `with`. It cannot delete a sandbox.

    Every change may raise OrgRejected (Salesforce's own words, for example for a refresh that comes too early) and
    OrgUncertain.
    """

    def __init__(self, reader: OrgReader, lifecycle: SandboxLifecycle) -> None:
        self._reader = reader
        self._lifecycle = lifecycle
        self.org_id = reader.org_id

    def __repr__(self) -> str:
        return f"ProductionControl({self._reader.host}, {self.org_id})"

    def __enter__(self) -> ProductionControl:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._reader.close()

    def fetch_identity(self) -> Identity:
        """A fresh Organization row of production."""
        return self._reader.fetch_identity()

    def fetch_sandboxes(self) -> tuple[SandboxRecord, ...]:
        """Every SandboxInfo, by name."""
        return self._reader.fetch_sandboxes()

    def fetch_sandbox_copies(self) -> tuple[SandboxCopy, ...]:
        """Every SandboxProcess, newest first."""
        return self._reader.fetch_sandbox_copies()

    def request_refresh(self, record: SandboxRecord, changes: Mapping[str, Value] | None = None) -> None:
        """Ask for a refresh; every writable field is sent again, `changes` (field -> value) laid over them."""
        self._lifecycle.refresh(record, changes or {})

    def activate(self, copy_id: str) -> None:
        """Replace the sandbox by its new copy: irreversible."""
        self._lifecycle.act(copy_id, "ACTIVATE")

    def discard(self, copy_id: str) -> None:
        """Drop the new copy and keep the old sandbox."""
        self._lifecycle.act(copy_id, "DISCARD")
