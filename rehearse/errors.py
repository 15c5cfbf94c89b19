"""The error tree of rehearse, and the exit code that each branch means.

    RehearseError ............................ 1   something went wrong
    ├── UsageError ........................... 2   a wrong command line
    │   └── DocumentError .................... 2   a broken rehearse.yaml or plan: all mistakes at once
    ├── StoppedPartWay ....................... 4   run again to continue
    ├── Refused .............................. 5   a guard said no; nothing was sent
    │   ├── NotASandbox
    │   ├── ProductionRefused
    │   ├── GenerationChanged
    │   ├── StalePlan
    │   ├── GateClosed
    │   └── NotConfirmed
    ├── NotFound ............................. 10  no such sandbox, baseline, plan, release …
    │   └── AmbiguousId
    ├── Locked ............................... 11  somebody else works on this sandbox
    ├── LoginError ........................... 12  login or key
    │   ├── SessionExpired
    │   └── KeyUnavailable
    ├── OrgError ............................. 1   what an org answered
    │   ├── OrgBusy            the only one that a retry may follow
    │   ├── OrgRejected        keeps Salesforce's code and message
    │   ├── OrgLimit
    │   │   └── AllowanceSpent   4   the day's requests are used up: run again to continue
    │   ├── OrgUnreachable     no connection, certificate, DNS
    │   └── OrgUncertain       a write whose reply was lost
    ├── StoreError ........................... 1   what lies on disk
    │   ├── Damaged            bytes that no longer match their digest
    │   └── DiskFull
    └── Interrupted .......................... 130 somebody pressed Ctrl-C

A message is one sentence on what happened and to what; `hint` says what to do. Only the error boundary
of the command line catches the root; anything outside this tree is a bug and keeps its traceback.
Exit 3 is not here: "finished, and the answer is no" is a value with a report, never an exception.
Never put a token or a record value into a message.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


class RehearseError(Exception):
    """Root of the tree: a sentence for the user, and optionally what to do about it."""

    exit_code = 1
    code = "error"
    at: datetime | None = None
    """The instant that counted as now, where the command had asked for it."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(RehearseError):
    """The command line asks for something that makes no sense."""

    exit_code = 2
    code = "usage"


@dataclass(frozen=True)
class Problem:
    """One mistake in a file that a person wrote; line and column count from 1 (0 = unknown)."""

    file: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{where}: {self.message}"


MOST_SHOWN = 100
"""How many mistakes of one file a message names."""


class DocumentError(UsageError):
    """A file that a person wrote is broken; carries every mistake found."""

    code = "document"

    def __init__(self, problems: Sequence[Problem], hint: str | None = None) -> None:
        shown = [str(problem) for problem in problems[:MOST_SHOWN]]
        more = ["and more"] if len(problems) > MOST_SHOWN else []
        super().__init__("\n".join([*shown, *more]), hint)
        self.problems = tuple(problems)


class StoppedPartWay(RehearseError):
    """Long work ended before its end; running the same command again continues it."""

    exit_code = 4
    code = "stopped"


class Refused(RehearseError):
    """A guard refused before anything was sent."""

    exit_code = 5
    code = "refused"


class NotASandbox(Refused):
    """The org did not prove that it is a sandbox of the configured production."""

    code = "not-a-sandbox"


class ProductionRefused(Refused):
    """A request that production must never receive was stopped before sending."""

    code = "production-refused"


class GenerationChanged(Refused):
    """The sandbox was refreshed: its org id is not the one that was recorded."""

    code = "generation-changed"


class StalePlan(Refused):
    """The org moved since the reset plan was made, or the bookings since a schedule was."""

    code = "stale-plan"


class GateClosed(Refused):
    """Something else writes to the org, or it could send something out."""

    code = "gate-closed"


class NotConfirmed(Refused):
    """A step that destroys something was not confirmed by name."""

    code = "not-confirmed"


class NotFound(RehearseError):
    """No such thing under this name or id."""

    exit_code = 10
    code = "not-found"


class AmbiguousId(NotFound):
    """A shortened id fits several things."""

    code = "ambiguous"


class Locked(RehearseError):
    """Somebody else holds the lock of this sandbox."""

    exit_code = 11
    code = "locked"


class LoginError(RehearseError):
    """A login was refused or could not be made."""

    exit_code = 12
    code = "login"


class SessionExpired(LoginError):
    """The token is no longer valid (expired, revoked, or the sandbox was replaced)."""

    code = "session-expired"


class KeyUnavailable(LoginError):
    """The workspace key or a capture's data key is missing or wrong."""

    code = "key"


class OrgError(RehearseError):
    """What an org answered, in its own words."""

    code = "org"


class OrgBusy(OrgError):
    """A passing condition: row lock, 503, rate. The only error that a retry may follow."""

    code = "org-busy"


REFUSED = "The org said so itself: see in its Setup that the login may do this, then run the same command again."


class OrgRejected(OrgError):
    """The org refused; `org_code` and `org_message` are Salesforce's own, verbatim.

    `status` and `fields` where the refusal was an HTTP reply: its status, and the fields that it names.
    """

    code = "org-rejected"
    status = 0
    fields: tuple[str, ...] = ()

    def __init__(self, org_code: str, org_message: str, doing: str, hint: str | None = None) -> None:
        said = org_message.removeprefix(f"{org_code}: ")  # SOAP says its code twice
        super().__init__(f"{doing}: the org answered {org_code}: {said}", hint or REFUSED)
        self.org_code = org_code
        self.org_message = org_message


class OrgLimit(OrgError):
    """A limit of the org is used up (daily requests, storage, jobs)."""

    code = "org-limit"


class AllowanceSpent(OrgLimit):
    """The requests that an org answers in 24 hours are used up: the same command goes on when some have come back."""

    exit_code = 4


class OrgUnreachable(OrgError):
    """No connection: name, network, certificate, or a time-out of a call that is safe to repeat."""

    code = "org-unreachable"


class OrgUncertain(OrgError):
    """A write was sent and its reply was lost; whoever owns the intent looks up what happened."""

    code = "org-uncertain"


class StoreError(RehearseError):
    """What lies on disk is not what it should be."""

    code = "store"


class Damaged(StoreError):
    """Stored bytes no longer match the digest recorded when they were written."""

    code = "damaged"


class DiskFull(StoreError):
    """There is no room left to write; what was there before is untouched."""

    code = "disk-full"


class Interrupted(RehearseError):
    """Somebody pressed Ctrl-C; what was under way is continued by the same command."""

    exit_code = 130
    code = "interrupted"
