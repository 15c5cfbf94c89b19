"""What to do about a row that an org refused, by the code of its refusal (SOAP API guide, StatusCode). Data, a look-up.

A refusal that somebody can cure is told with the cure, so that a proof which is not clean names a way on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_BY_AUTOMATION = "automation of the org refuses it: name a switch of it in scope.bypass, and reset again"

CURES: Mapping[str, str] = {
    "CANNOT_EXECUTE_FLOW_TRIGGER": _BY_AUTOMATION,
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": _BY_AUTOMATION,
    "DUPLICATES_DETECTED": "a duplicate rule blocks it: switch the rule off, and reset again",
    "DUPLICATE_VALUE": "another row holds a unique value of it, or one in the recycle bin: delete that one for good, "
    "and reset again",
    "ENTITY_IS_LOCKED": "it waits for an approval: recall that, and reset again",
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": "a validation rule refuses what it held: name a switch of the rule in "
    "scope.bypass, and reset again",
    "DELETE_FAILED": "a row that names it keeps it: see to that one, and reset again",
    "INACTIVE_OWNER_OR_USER": "let this login update records with inactive owners, and reset again",
    "INSUFFICIENT_ACCESS_OR_READONLY": "this login may not write it: give it Modify All Data, and reset again",
    "LICENSE_LIMIT_EXCEEDED": "no licence is left: free one, and reset again",
    "STORAGE_LIMIT_EXCEEDED": "the org is full: make room, and reset again",
}
_CODE = re.compile(r"[A-Z][A-Z_]{5,}")


def with_cure(detail: str) -> str:
    """What became of a row, and what to do about it where the refusal is one that somebody can cure."""
    cure = next((CURES[one] for one in _CODE.findall(detail) if one in CURES), None)
    return f"{detail}: {cure}" if cure else detail
