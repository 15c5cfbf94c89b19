"""Formulas: their values in rows, blanks, prior values, and what cannot be read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearse.practice.automation import Occasion, evaluate
from rehearse.practice.formula import FUNCTIONS, check_size
from rehearse.practice.formula_parse import Call, FormulaError, Literal, names_in, parse_formula
from rehearse.practice.schema import FieldDef

VALUES = [
    ("1 + 2 * 3 ^ 2", 19),
    ("(1 + 2) * -3", -9),
    ("IF(FALSE, 1, IF(FALSE, 2, IF(TRUE, 3, 4))) + IF(FALSE, 10, CASE(2, 1, 20, 2, 30, 40))", 33),
    ("7 / 2", 3.5),
    ("7 / 0", None),
    ('"a" & "b" & Code__c', "abK1"),
    ('"a" + "b"', "ab"),
    ("Rate__c + Count__c", None),
    ("BLANKVALUE(Count__c, 4) + Rate__c", 6.5),
    ('TEXT(Rate__c) & "/" & TEXT(2)', "2.5/2"),
    ("IF(Rate__c > 2, 'big', 'small')", "big"),
    ("IF(Count__c > 2, 'big', 'small')", "small"),
    ("ISBLANK(Count__c) && !ISBLANK(Rate__c)", 1),
    ("AND(TRUE, Open__c, Rate__c >= 2.5)", 1),
    ("OR(FALSE, NOT(Open__c))", 0),
    ('ISPICKVAL(State__c, "open")', 1),
    ('CASE(State__c, "paid", 1, "open", 2, 3)', 2),
    ('INCLUDES(Colours__c, "blue")', 1),
    ('INCLUDES(Colours__c, "blu")', 0),
    ('Code__c = "k1"', 0),
    ('Code__c = "K1"', 1),
    ("Code__c <> null", 1),
    ("Due__c + 1", "2026-12-02"),
    ("Due__c - TODAY()", 8),
    ("YEAR(Due__c) * 100 + MONTH(Due__c)", 202612),
    ("DATE(2026, 2, 1) < Due__c", 1),
    ("DATEVALUE(Sent__c)", "2026-11-30"),
    ("Account__r.Name", "Acme"),
    ('Account__r.Owner.Name & "!"', "Ann Lee!"),
    ("LEFT(Account__r.Name, 2) & RIGHT('xyz', 1) & UPPER(MID('abc', 2, 1))", "AczB"),
    ("LEN(Code__c) + FLOOR(2.9) + CEILING(2.1) + ROUND(2.45, 1) + ABS(-1) + MOD(7, 4) + MAX(1, 5, 3)", 18.5),
    ('SUBSTITUTE("a-b", "-", "+")', "a+b"),
    ('CONTAINS("rehearse", "hear") && BEGINS("rehearse", "re")', 1),
    ("/* nothing */ 5", 5),
    ('"it\\"s " & \'so\'', 'it"s so'),
    ("$User.Id = OwnerId", 1),
    ("$Permission.Nobody_Has_It", 0),
    ("Double__c", 5.0),
    ("No_Such_Field__c", None),
]


@pytest.mark.parametrize(("text", "value"), VALUES, ids=lambda part: str(part)[:40])
def test_a_formula_has_its_value(small, text, value):
    account = small.insert("Account", Name="Acme")
    values = {"Rate__c": 2.5, "Code__c": "K1", "Due__c": "2026-12-01", "Sent__c": "2026-11-30T10:00:00Z"}
    row_id = small.insert("Invoice__c", Account__c=account, Colours__c="red;blue", **values)
    occasion = Occasion(small.org, small.org.object("Invoice__c"), row_id, small.user_id, {}, False)
    assert evaluate(occasion, [text]) == [value]


def test_changes_are_seen_against_the_row_as_it_was(small):
    row_id = small.insert("Invoice__c", Rate__c=2, Code__c="new")
    definition = small.org.object("Invoice__c")
    asked = ["ISNEW()", "ISCHANGED(Rate__c)", "ISCHANGED(Code__c)", "PRIORVALUE(Code__c)"]
    changed = Occasion(small.org, definition, row_id, small.user_id, {"Rate__c": 2.0, "Code__c": "o'ld"}, False)
    assert evaluate(changed, asked) == [0, 0, 1, "o'ld"]
    fresh = Occasion(small.org, definition, row_id, small.user_id, {}, True)
    assert evaluate(fresh, asked) == [1, 0, 0, "new"]


def test_a_blank_number_counts_as_zero_only_where_the_field_says_so(small):
    definition = small.org.object("Invoice__c")
    zero = FieldDef("Zero__c", "Zero", "double", precision=9, formula="Rate__c + 1", custom=True)
    blank = FieldDef(
        "Blank__c", "Blank", "double", precision=9, formula="Rate__c + 1", blank_as_zero=False, custom=True
    )
    small.org.put_object(definition.with_field(zero).with_field(blank))
    small.insert("Invoice__c")
    assert small.one("SELECT Zero__c, Blank__c FROM Invoice__c") == {"Zero__c": 1.0, "Blank__c": None}


def test_a_formula_that_refers_to_itself_is_an_error_and_not_a_loop(small):
    from rehearse.practice.http_errors import ApiError

    loop = FieldDef("Loop__c", "Loop", "double", precision=9, formula="Loop__c + 1", custom=True)
    small.org.put_object(small.org.object("Invoice__c").with_field(loop))
    with pytest.raises(ApiError):
        small.query("SELECT Loop__c FROM Invoice__c")


@pytest.mark.parametrize(
    "text", ["(" * 1_900 + "1" + ")" * 1_900, "1" + "+1" * 1_900, "NOT(" * 900 + "TRUE", "1 + " + "1" * 4_000]
)
def test_absurd_formulas_are_refused_as_too_long_or_too_big(text):
    with pytest.raises(FormulaError, match="too long|too big"):
        parse_formula(text)


def test_what_can_be_read_and_not_be_reckoned_is_refused_before_it_is_saved():
    check_size("Name" + " & ', ' & Name" * 60)  # as addresses are put together
    check_size("IF(Rank > 3, 1, " * 60 + "0" + ")" * 60)
    check_size("NO_SUCH_FUNCTION(Name)")  # told elsewhere
    for text in ("FLOOR(" * 40 + "1.5" + ")" * 40, "NOT(" * 60 + "TRUE" + ")" * 60):
        with pytest.raises(FormulaError, match="too big"):
            check_size(text)


@pytest.mark.parametrize("text", ["", "1 +", "IF(1, 2", "a b", "1 # 2", '"open', "IF(,)", ")"])
def test_broken_formulas_are_refused(text):
    with pytest.raises(FormulaError):
        parse_formula(text)


@given(st.text(max_size=40))
def test_reading_a_formula_never_fails_in_another_way(text):
    try:
        parse_formula(text)
    except FormulaError:
        return


def test_the_names_in_a_formula_are_found():
    assert names_in(parse_formula('IF(A__c > 1, B__r.C__c, "D__c")')) == {("A__c",), ("B__r", "C__c")}
    assert parse_formula("if(1, 2, 3)") == Call("IF", (Literal(1), Literal(2), Literal(3)))
    assert all(name == name.upper() for name in FUNCTIONS)
