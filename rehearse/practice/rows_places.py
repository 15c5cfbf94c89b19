"""State and country picklists: a code and its name go together, and a state belongs to its country.

Only where the fields are there: the setting `state_country_codes` brings them (features.py). A name or a code may be
written, the other follows; a code that contradicts its name, and a state outside its country, are refused [data.md 4
row 45; the words: reports of users]. Countries and states are those of places.txt, which is shorter than Salesforce's.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib import resources

from rehearse.practice.rows_values import RowError, Stored
from rehearse.practice.schema import FieldDef, ObjectDef

WRONG = "FIELD_INTEGRITY_EXCEPTION"
UNKNOWN_COUNTRY = (
    "There's a problem with this country, even though it may appear correct. "
    "Please select a country/territory from the list of valid countries."
)
NO_COUNTRY = "A country/territory must be specified before specifying a state value for field"
FOREIGN_STATE = "The existing country/territory doesn't recognize the state value for field"
MISMATCH = "Mismatched integration value and ISO code for field"


@lru_cache(maxsize=1)
def load_places() -> dict[str, tuple[str, dict[str, str]]]:
    """Every country by its code: its name, and its states by code."""
    found: dict[str, tuple[str, dict[str, str]]] = {}
    text = resources.files("rehearse.practice").joinpath("places.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        if line.startswith("#") or not line.strip():
            continue
        country, _, listed = line.partition(": ")
        states = (one.strip().split(" ", 1) for one in listed.split(";") if one.strip())
        found[country[:2]] = (country[3:], {code: name for code, name in states})
    return found


def is_place_code(field: FieldDef) -> bool:
    """Whether a field is one of the codes of an address."""
    return field.compound is not None and field.name.endswith(("StateCode", "CountryCode"))


def couple_places(definition: ObjectDef, values: dict[str, Stored], before: Mapping[str, Stored]) -> None:
    """Let name and code follow each other in every address that has codes. Raises RowError."""
    for field in definition.fields:
        if field.name.endswith("CountryCode") and is_place_code(field):
            prefix = field.name.removesuffix("CountryCode")
            if any(f"{prefix}{part}" in values for part in ("Country", "CountryCode", "State", "StateCode")):
                _couple(definition, prefix, values, before)


def _couple(definition: ObjectDef, prefix: str, values: dict[str, Stored], before: Mapping[str, Stored]) -> None:
    country, state = f"{prefix}Country", f"{prefix}State"
    places = load_places()
    countries = {code: name for code, (name, _) in places.items()}
    if country in values or f"{country}Code" in values:
        _follow(definition, country, values, (countries, UNKNOWN_COUNTRY))
    code = str(values.get(f"{country}Code", before.get(f"{country}Code")) or "")
    given = any(values.get(name) for name in (state, f"{state}Code"))
    label = _label(definition, state)
    if given and not code:
        raise RowError(WRONG, f"{NO_COUNTRY}: {label}", (state,))
    states = places[code][1] if code in places else {}
    if state in values or f"{state}Code" in values:
        _follow(definition, state, values, (states, FOREIGN_STATE))
    elif before.get(f"{state}Code") and before[f"{state}Code"] not in states:
        raise RowError(WRONG, f"{FOREIGN_STATE}: {label}", (state,))


def _follow(definition: ObjectDef, name: str, values: dict[str, Stored], known: tuple[dict[str, str], str]) -> None:
    """Complete a name by its code or a code by its name."""
    names, problem = known
    coded = f"{name}Code"
    code, text = values.get(coded), values.get(name)
    label = _label(definition, name)
    if code:
        if code not in names:
            raise RowError(WRONG, f"{problem}: {_label(definition, coded)}", (coded,))
        if text and str(text).lower() != names[str(code)].lower():
            raise RowError(WRONG, f"{MISMATCH}: {label}", (name,))
        values[name] = names[str(code)]
        return
    if text and coded in values:
        raise RowError(WRONG, f"{MISMATCH}: {label}", (name,))
    found = next((one for one, full in names.items() if full.lower() == str(text or "").lower()), None)
    if text and found is None:
        raise RowError(WRONG, f"{problem}: {label}", (name,))
    values[coded] = found
    values[name] = names[found] if found else None


def _label(definition: ObjectDef, name: str) -> str:
    field = definition.find(name)
    return field.label if field is not None else name
