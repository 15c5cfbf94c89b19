"""What SOAP says about objects: the describes of REST, in the elements and the order that the WSDLs have.

Their sequences are by name, capitals first. What REST alone says is left out, `idEnabled` is added. Refuses more than
100 objects a call. Promise: nothing is called writable here that REST calls read-only, since both come from one source.
"""

from __future__ import annotations

from typing import Any

from rehearse.practice.describe import describe_global, describe_object
from rehearse.practice.http_errors import ApiError
from rehearse.practice.soap_call import DataCall
from rehearse.practice.soap_forms import render_value

MOST_OBJECTS = 100
NIL = ("defaultImplementation", "implementedBy", "implementsInterfaces", "keyPrefix", "networkScopeFieldName")
ADDRESSES = ("urlDetail", "urlEdit", "urlNew")  # pages of the user interface: there is none here
REST_ONLY = frozenset({"associateEntityType", "associateParentEntity", "extendedBy", "extendsInterfaces",
                       "listviewable", "lookupLayoutable", "sobjectDescribeOption", "urls"})  # fmt: skip


def global_describe(call: DataCall) -> str:
    """The DescribeGlobalResult."""
    found = describe_global(call.org, call.version)
    objects = [in_order({**one, "idEnabled": True}, ("keyPrefix",)) for one in found["sobjects"]]
    return render_value("result", {**found, "sobjects": objects})


def describe_one(call: DataCall) -> str:
    """The DescribeSObjectResult of `describeSObject`."""
    return _describe(call, call.text("sObjectType"))


def describe_many(call: DataCall) -> str:
    """One DescribeSObjectResult for each object of `describeSObjects`."""
    names = call.texts("sObjectType")
    if len(names) > MOST_OBJECTS:
        raise ApiError(500, "EXCEEDED_ID_LIMIT", f"cannot describe more than {MOST_OBJECTS} objects in one call")
    return "".join(_describe(call, name) for name in names)


def _describe(call: DataCall, name: str) -> str:
    found = describe_object(call.org, call.org.object(name), call.version)
    return render_value(
        "result", in_order({**found, "idEnabled": True, **dict.fromkeys(ADDRESSES)}, (*NIL, *ADDRESSES))
    )


def in_order(value: Any, nil: tuple[str, ...] = ()) -> Any:
    """A value with its mappings by name and without what is None, except the names in `nil` of the outermost one."""
    if isinstance(value, list):
        return [in_order(one) for one in value]
    if not isinstance(value, dict):
        return value
    kept = {key: one for key, one in value.items() if key not in REST_ONLY and (one is not None or key in nil)}
    return {key: in_order(kept[key]) for key in sorted(kept)}
