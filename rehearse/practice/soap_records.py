"""Records in SOAP: an `sObjects` element becomes a row, and a row as REST nests it becomes a `records` element.

A field that is nil or empty is left alone, as Salesforce documents; null is asked for with `fieldsToNull`. A record
without its Id still has the element, as nil; one with it has it twice in the partner dialect. Promise: what is read
and what is rendered is text, as XML has it; the meaning of a value is rows.py's.
"""

from __future__ import annotations

import re
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree

from rehearse.practice.http_errors import ApiError
from rehearse.practice.org_state import OrgState
from rehearse.practice.soap_forms import XSI, Dialect, as_text, render_value

Row = dict[str, Any]
DATETIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000")
XML_BREAKS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # what XML 1.0 cannot hold
LOCATION = ("latitude", "longitude")
ADDRESS = ("city", "country", "countryCode", "geocodeAccuracy", "postalCode", "state", "stateCode", "street")
AGGREGATE = "AggregateResult"
TYPES = {bool: "xsd:boolean", int: "xsd:int", float: "xsd:double"}


def read_record(element: etree._Element) -> tuple[str, Row]:
    """The object and the values of an sObject element. Raises ApiError INVALID_TYPE where it names no object."""
    kind = element.get(f"{{{XSI}}}type", "").rpartition(":")[2]
    name = "" if kind == "sObject" else kind
    row: Row = {}
    nulls: list[str] = []
    for child in element.iterchildren(etree.Element):
        tag, text = etree.QName(child.tag).localname, child.text or ""
        if tag == "type" and not len(child):
            name = text.strip()
        elif tag == "fieldsToNull":
            nulls.append(text.strip())
        elif len(child):  # a parent, named by its external id
            row[tag] = read_record(child)[1]
        elif text and child.get(f"{{{XSI}}}nil", "") not in ("true", "1"):
            row[tag] = text.strip() if tag.lower() == "id" else text
    return name, {**row, **dict.fromkeys(nulls)}


def read_records(parent: etree._Element, org: OrgState) -> list[tuple[str, Row]]:
    """Every `sObjects` of a call, with the right name of its object."""
    found = []
    for element in parent.iterchildren("{*}sObjects"):
        name, row = read_record(element)
        if not name:
            raise ApiError(500, "INVALID_TYPE", "Must send a concrete entity type.")
        found.append((org.object(name).name, row))
    return found


def render_record(tag: str, row: Row, org: OrgState, dialect: Dialect) -> str:
    """A row of a query, as REST nests it, as an element; parents and child queries nest."""
    name = str(row["attributes"]["type"])
    known = org.find_object(name)
    row_id = row.get("Id")
    values = {key: value for key, value in row.items() if key != "attributes"}
    inner = [_plain("Id", row_id)]
    if dialect.typed:  # sequences of the enterprise WSDL are by name
        values = {key: values[key] for key in sorted(values) if key != "Id"}
    else:
        inner.insert(0, f"<sf:type>{escape(name)}</sf:type>")
    for key, value in values.items():
        field = known.find(key) if known is not None else None
        kind = AGGREGATE if known is None else field.type if field is not None else ""
        inner.append(_value(key, value, kind, (org, dialect)))
    shown = name if dialect.typed else "sObject"
    return f'<{tag} xsi:type="sf:{shown}">{"".join(inner)}</{tag}>'


def _value(key: str, value: Any, kind: str, place: tuple[OrgState, Dialect]) -> str:
    if isinstance(value, dict) and "records" in value:
        rows = "".join(render_record("records", one, *place) for one in value["records"])
        inner = f'<done>true</done><queryLocator xsi:nil="true"/>{rows}<size>{len(value["records"])}</size>'
        return f'<sf:{key} xsi:type="QueryResult">{inner}</sf:{key}>'
    if isinstance(value, dict) and "attributes" in value:
        return render_record(f"sf:{key}", value, *place)
    if isinstance(value, dict):  # an address or a location
        shape = "address" if {"street", "city"} & value.keys() else "location"
        parts = (*LOCATION, *ADDRESS) if shape == "address" else LOCATION
        return f'<sf:{key} xsi:type="{shape}">{"".join(render_value(one, value.get(one)) for one in parts)}</sf:{key}>'
    if kind in ("datetime", AGGREGATE) and isinstance(value, str) and DATETIME.fullmatch(value):
        value = value.replace("+0000", "Z")
    return _plain(key, value, TYPES.get(type(value), "xsd:string") if kind == AGGREGATE else "")


def _plain(key: str, value: Any, kind: str = "") -> str:
    if value is None:
        return f'<sf:{key} xsi:nil="true"/>'
    typed = f' xsi:type="{kind}"' if kind else ""
    return f"<sf:{key}{typed}>{escape(XML_BREAKS.sub('', as_text(value)))}</sf:{key}>"
