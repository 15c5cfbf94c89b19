"""A token from the Salesforce CLI's own login, by alias.

Since CLI 2.136.8 `sf org display` shows a placeholder where the token was; then `sf org auth show-access-token` is
asked; older CLIs still give it in the first answer. What the CLI prints is parsed and dropped, never logged or shown.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

from rehearse.errors import LoginError
from rehearse.org.model import Session
from rehearse.org.transport import clean_origin

REDACTED = "[REDACTED]"
_SECONDS = 120
_QUIET = {
    "NO_COLOR": "1",
    "SF_DISABLE_TELEMETRY": "true",
    "SF_AUTOUPDATE_DISABLE": "true",
    "SF_SKIP_NEW_VERSION_CHECK": "true",
    "SF_HIDE_RELEASE_NOTES": "true",
}


def fetch_session(alias: str) -> Session:
    """The token and address of an alias; raises LoginError when the CLI is missing or its login is dead."""
    shown = _run(["org", "display", "--target-org", alias, "--json"], alias)
    token = str(shown.get("accessToken") or "")
    if not token or token.startswith(REDACTED):
        answer = _run(["org", "auth", "show-access-token", "--target-org", alias, "--json"], alias)
        token = str(answer.get("accessToken") or "")
    if not token or token.startswith(REDACTED):
        raise LoginError(f"The Salesforce CLI did not give the token of {alias}.", "Update it: sf update.")
    origin = clean_origin(str(shown.get("instanceUrl") or ""), f"instance address of {alias}")
    return Session(origin, token, str(shown.get("username") or ""))


def _run(arguments: Sequence[str], alias: str) -> Mapping[str, Any]:
    program = shutil.which("sf")
    if program is None:
        raise LoginError("The Salesforce CLI (sf) is not on the PATH.", "Install it, or use another kind of login.")
    environment = {name: value for name, value in os.environ.items() if name != "FORCE_COLOR"} | _QUIET
    try:
        done = subprocess.run(
            [program, *arguments], env=environment, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LoginError(f"The Salesforce CLI could not be asked about {alias}.", "Try: sf org display.") from error
    answer = _read_json(done.stdout)
    result = answer.get("result")
    if done.returncode != 0 or not isinstance(result, dict):
        name = answer.get("name")
        reason = f" ({name})" if isinstance(name, str) and name.isalnum() else ""
        raise LoginError(
            f"The Salesforce CLI has no working login {alias}{reason}.",
            f"Log in again: sf org login web --alias {alias}. After a sandbox refresh the old login is dead.",
        )
    return result


def _read_json(text: str) -> Mapping[str, Any]:
    """The JSON object in what the CLI printed; warnings may stand before it."""
    start = text.find("{")
    try:
        value = json.JSONDecoder().raw_decode(text[start:])[0] if start >= 0 else {}
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
