"""Short spellings for the custom fields of the practice company: each gives the body of one `<fields>` element.

The elements and their order are those of a retrieved CustomField. Nothing here knows an org.
"""

from __future__ import annotations

from collections.abc import Sequence

from rehearse.practice.seed_xml import Scalar, Xml, ordered

Extra = Scalar


def text(name: str, label: str, length: int = 80, **extra: Extra) -> Xml:
    """A text field; `externalId=True, unique=True, caseSensitive=False` makes it a key."""
    return ordered(name, label=label, length=length, type="Text", **_defaults(extra, required=False, externalId=False))


def key(name: str, label: str, length: int = 40) -> Xml:
    """A unique external id, compared without case."""
    return text(name, label, length, externalId=True, unique=True, caseSensitive=False)


def plain(name: str, label: str, kind: str, **extra: Extra) -> Xml:
    """A field that needs no more than a type: Date, DateTime, Email, Phone, Url, TextArea."""
    return ordered(name, label=label, type=kind, **_defaults(extra, required=False))


def number(name: str, label: str, digits: tuple[int, int], kind: str = "Number", **extra: Extra) -> Xml:
    """A Number, Currency or Percent with (precision, scale); Salesforce allows 18 digits in all."""
    more = _defaults(extra, required=False)
    return ordered(name, label=label, precision=digits[0], scale=digits[1], type=kind, **more)


def money(name: str, label: str, **extra: Extra) -> Xml:
    """A Currency of 16 digits and 2 places."""
    return number(name, label, (16, 2), "Currency", **extra)


def checkbox(name: str, label: str, default: bool = False) -> Xml:
    """A checkbox; it is never null."""
    return ordered(name, defaultValue=default, label=label, type="Checkbox")


def long_text(name: str, label: str, kind: str = "LongTextArea", length: int = 32768) -> Xml:
    """A long text area, or rich text with kind Html."""
    lines = 25 if kind == "Html" else 5
    return ordered(name, label=label, length=length, trackHistory=False, type=kind, visibleLines=lines)


def picklist(name: str, label: str, values: Sequence[str], *, restricted: bool = True, many: bool = False) -> Xml:
    """A picklist with its own values, the first of them the default unless several may be chosen."""
    listed: list[Xml] = [
        {"fullName": value, "default": index == 0 and not many, "label": value} for index, value in enumerate(values)
    ]
    value_set: Xml = {"restricted": restricted, "valueSetDefinition": {"sorted": False, "value": listed}}
    if many:
        return ordered(
            name, label=label, required=False, type="MultiselectPicklist", valueSet=value_set, visibleLines=4
        )
    return ordered(name, label=label, required=False, type="Picklist", valueSet=value_set)


def shared_picklist(name: str, label: str, value_set: str) -> Xml:
    """A picklist whose values are those of a global value set."""
    return ordered(
        name, label=label, required=False, type="Picklist", valueSet={"restricted": True, "valueSetName": value_set}
    )


def lookup(name: str, label: str, target: str, children: str, on_delete: str = "SetNull") -> Xml:
    """A lookup; `on_delete` is SetNull, Restrict or Cascade (Cascade only where the child is a custom object)."""
    return ordered(
        name,
        deleteConstraint=on_delete,
        label=label,
        referenceTo=target,
        relationshipLabel=children.replace("_", " "),
        relationshipName=children,
        required=False,
        type="Lookup",
    )


def master(name: str, label: str, target: str, children: str, order: int = 0) -> Xml:
    """A master-detail field that cannot be moved to another master; `order` 1 is the second master of a junction."""
    return ordered(
        name,
        label=label,
        referenceTo=target,
        relationshipLabel=children.replace("_", " "),
        relationshipName=children,
        relationshipOrder=order,
        reparentableMasterDetail=False,
        type="MasterDetail",
        writeRequiresMasterRead=False,
    )


def roll_up(name: str, label: str, relation: str, summed: str = "", only: tuple[str, str, str] | None = None) -> Xml:
    """A roll-up over `Child__c.Master__c`: a count, or the sum of `summed`; `only` filters (field, how, value)."""
    more: dict[str, Scalar | Xml] = {"summaryOperation": "sum" if summed else "count"}
    if summed:
        more["summarizedField"] = summed
    if only:
        more["summaryFilterItems"] = {"field": only[0], "operation": only[1], "value": only[2]}
    return ordered(name, label=label, summaryForeignKey=relation, type="Summary", **more)


def formula(name: str, label: str, kind: str, source: str, **extra: Extra) -> Xml:
    """A formula field that treats blanks as zeros."""
    return ordered(name, formula=source, formulaTreatBlanksAs="BlankAsZero", label=label, type=kind, **extra)


def auto_number(name: str, label: str, form: str) -> Xml:
    """An autonumber field such as PRJ-{00000}."""
    return ordered(name, displayFormat=form, externalId=False, label=label, startingNumber=1, type="AutoNumber")


def encrypted(name: str, label: str, length: int = 32) -> Xml:
    """A classic encrypted text, shown masked to everyone without View Encrypted Data."""
    return ordered(name, label=label, length=length, maskChar="asterisk", maskType="all", type="EncryptedText")


def _defaults(given: dict[str, Extra], **defaults: Extra) -> dict[str, Extra]:
    return {**defaults, **given}
