"""JSON and numbers that came over the wire, read with distrust.

Refuses, with ValueError, what is no JSON, what is nested deeper than anybody means, numbers of thousands of digits, and
halves of surrogate pairs, which no answer could carry back. Promise: what comes out can be written again as UTF-8.
"""

import json
import re
from typing import Any

WHOLE = re.compile("[0-9]{1,18}")


def read_whole(text: str) -> int | None:
    """The number that a text of 1 to 18 plain digits stands for; None for any other text, also for digits like ²."""
    return int(text) if WHOLE.fullmatch(text) else None


def load_json(body: bytes | str) -> Any:
    """The value in a body. Raises ValueError."""
    try:
        found = json.loads(body)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    marked = b"\\ud" if isinstance(body, bytes) else "\\ud"
    if marked in body.lower():  # type: ignore[operator]
        try:
            json.dumps(found, ensure_ascii=False).encode()
        except (UnicodeEncodeError, RecursionError) as error:
            raise ValueError("half of a surrogate pair") from error
    return found
