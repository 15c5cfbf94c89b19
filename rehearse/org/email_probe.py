"""May a proven sandbox send e-mail? Asked by one fixed line of anonymous Apex, because no API shows the setting.

`Messaging.reserveSingleEmailCapacity` sends nothing: it fails with System.NoAccessException where the deliverability
is "System email only" or "No access" (Apex reference, Messaging). It is refused on any wire but a sandbox's, since
anonymous Apex acts by GET. An answer that is neither of the two is no answer: the caller decides what to do with it.
"""

from __future__ import annotations

from typing import Literal

from rehearse.errors import OrgRejected
from rehearse.org.bulk import fetch_json
from rehearse.org.wire import Call, Wire

PROBE = "Messaging.reserveSingleEmailCapacity(1);"

Deliverability = Literal["open", "closed", "not asked"]
"""open: All email · closed: System email only, or no access · not asked: the org did not say."""


def fetch_deliverability(wire: Wire, version: str) -> tuple[Deliverability, str]:
    """Whether Apex of this org may send e-mail, and for `not asked` the reason. Changes nothing.

    Raises SessionExpired, OrgBusy, OrgLimit, OrgUnreachable, and ProductionRefused on a wire that is not open.
    """
    path = f"/services/data/v{version}/tooling/executeAnonymous/"
    call = Call("GET", path, "Asking whether e-mail is let out", {"anonymousBody": PROBE})
    try:
        answer = fetch_json(wire, call)
    except OrgRejected as error:
        return "not asked", error.org_code
    if not isinstance(answer, dict) or answer.get("compiled") is not True:
        return "not asked", "the probe did not compile"
    said = str(answer.get("exceptionMessage") or "")
    if answer.get("success") is True or "HandledException" in said:  # only the day's limit stands in the way
        return "open", ""
    if "NoAccessException" in said:
        return "closed", ""
    return "not asked", "the probe ended in another error"
